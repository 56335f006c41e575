/**
 * What a box adds to its guest's first file system. The kernel unpacks archives that follow one another, so a box's
 * initramfs is the image's, plus a small archive with:
 *
 *     /box/command   the arguments, each ended by NUL
 *     /box/env       NAME=VALUE, each ended by NUL     (if any)
 *     /box/workdir   a path, ended by NUL              (if given)
 *     /box/user      NAME|UID[:GROUP|GID], then NUL    (if given)
 */
import { constants } from 'node:fs'
import { chmod, copyFile, open, rename, rm, stat } from 'node:fs/promises'
import { type Boundary, noBoundary } from '../../machines/index.ts'
import { type CpioEntry, writeCpio } from './cpio.ts'
import { asImageError, ImageError } from './image-error.ts'

export interface GuestCommand {
  readonly command?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Absolute path; made if it is missing. Default `/` */
  readonly workdir?: string | undefined
  /** `NAME` or `UID`, with `:GROUP` or `:GID` if another group is wanted. Default root */
  readonly user?: string | undefined
}

export interface BoxInitramfsOptions extends GuestCommand {
  /** The image's initramfs, uncompressed */
  readonly base: string
  /** Where the box's own goes; replaced if it is there. Mode 0600, for it may hold secrets */
  readonly target: string
  readonly boundary?: Boundary
}

/**
 * Writes a box's own initramfs, sharing the image's blocks where the file system can. `target` appears whole or not at
 * all.
 *
 * @throws ImageError INVALID_ARGUMENT, NO_SPACE, or BOOT_FAILED if `base` cannot be read
 */
export async function boxInitramfs(options: BoxInitramfsOptions): Promise<void> {
  const { base, target, boundary = noBoundary } = options
  const archive = writeCpio(overlayEntries(options))
  const draft = `${target}.draft`
  try {
    boundary('before writing the initramfs')
    await rm(draft, { force: true })
    await copyFile(base, draft, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
    await chmod(draft, 0o600)
    const { size } = await stat(draft)
    const file = await open(draft, 'a')
    try {
      // The kernel looks for the next archive at a multiple of 4.
      await file.appendFile(Buffer.alloc((4 - (size % 4)) % 4))
      await file.appendFile(archive)
    } finally {
      await file.close()
    }
    boundary('after writing the initramfs')
    boundary('before naming the initramfs')
    await rename(draft, target)
    boundary('after naming the initramfs')
  } catch (error) {
    await rm(draft, { force: true })
    throw asImageError(error, `making the initramfs ${target} from ${base}`)
  }
}

/** The archive's entries; checks everything that came from outside. */
export function overlayEntries({ command, env = {}, workdir, user }: GuestCommand): CpioEntry[] {
  if (command === undefined) return []
  if (command.length === 0 || command[0] === '') throw invalid('command', 'is empty')
  // Mode 0700: the environment may hold secrets, and the command may run as another user.
  const entries: CpioEntry[] = [{ type: 'directory', path: 'box', mode: 0o700 }]
  const add = (name: string, values: readonly string[]) => {
    const bad = values.find(value => value.includes('\0'))
    if (bad !== undefined) throw invalid(name, 'holds a NUL byte')
    const data = Buffer.from(values.map(value => `${value}\0`).join(''), 'utf8')
    entries.push({ type: 'file', path: `box/${name}`, mode: 0o600, data })
  }

  add('command', command)
  const variables = Object.entries(env)
  for (const [name] of variables) {
    if (name === '' || name.includes('=')) throw invalid('env', `has a bad name: ${JSON.stringify(name)}`)
  }
  if (variables.length > 0) {
    add(
      'env',
      variables.map(([name, value]) => `${name}=${value}`),
    )
  }
  if (workdir !== undefined) {
    if (!workdir.startsWith('/')) throw invalid('workdir', 'is not an absolute path')
    add('workdir', [workdir])
  }
  if (user !== undefined) {
    const part = '[A-Za-z0-9_][A-Za-z0-9_.-]*'
    if (!new RegExp(`^${part}(:${part})?$`).test(user))
      throw invalid('user', 'is not NAME, UID or either with :GROUP')
    add('user', [user])
  }
  return entries
}

function invalid(field: string, what: string): ImageError {
  return new ImageError('INVALID_ARGUMENT', `${field} ${what}.`, { field })
}
