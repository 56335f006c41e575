import { ImageError } from './image-error.ts'

/** The kernel command line of an image of files that brings none. */
export const defaultCmdline = 'console=ttyS0 panic=-1'

/** What stands before the guest's host name on the command line. */
export const hostNameWord = 'boxledger.name='

/** Whether a guest with this command line has the name of its box. */
export function takesName(cmdline: string): boolean {
  return cmdline.split(' ').some(word => word.startsWith(hostNameWord))
}

export interface CmdlineOptions {
  /** Becomes the guest's host name; at most 63 of `A-Z a-z 0-9 _ . -` */
  readonly name?: string | undefined
  /** The disk with the guest's root file system, as `vda`; absent: it is the initramfs */
  readonly root?: string | undefined
  /** Further words for the kernel, put last so that they win */
  readonly extra?: readonly string[] | undefined
}

/**
 * The kernel command line of the built-in guest. `panic=-1`: a crash is a reboot, which the VMM sees. `quiet` and
 * `cryptomgr.notests=1` save some 0.4 s of boot under software emulation (measured with Debian 12's cloud kernel).
 */
export function builtinCmdline({ name, root, extra = [] }: CmdlineOptions = {}): string {
  const words = ['console=ttyS0', 'panic=-1', 'quiet', 'cryptomgr.notests=1']
  if (name !== undefined) {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)) {
      throw new ImageError('INVALID_ARGUMENT', `Not a host name: ${JSON.stringify(name)}`, { field: 'name' })
    }
    words.push(`${hostNameWord}${name}`)
  }
  if (root !== undefined) words.push(`boxledger.root=${root}`)
  for (const word of extra) {
    if (!/^[!-~]+$/.test(word)) {
      throw new ImageError(
        'INVALID_ARGUMENT',
        `Not a word of a kernel command line: ${JSON.stringify(word)}`,
        {
          field: 'cmdline',
        },
      )
    }
    words.push(word)
  }
  return words.join(' ')
}
