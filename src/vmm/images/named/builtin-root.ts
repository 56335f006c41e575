import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureBuiltinImage } from '../builtin.ts'
import { type CpioFile, readCpioFiles } from '../cpio-reader.ts'
import { runTool } from '../host-tool.ts'
import { asImageError } from '../image-error.ts'
import { sync } from '../synced.ts'
import { makeRootDisk } from './root-disk.ts'

/** In the place of a directory: the built-in guest's own files. */
export const builtinRoot = 'builtin'

/** What starts the guest stays in its first file system, which boots the disk too. */
const left = /^(?:init$|bin\/boxledger-agent$|etc\/(?:fstab|modules|root-modules)$|lib\/modules(?:\/|$))/

export interface BuiltinRootOptions {
  /** the home's `images/` */
  readonly dir: string
  /** directory for what is only there for a while */
  readonly workplace: string
  /** size of the file system in `MiB`; default: what the guest holds and 1 GiB */
  readonly sizeMib?: number | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Makes a disk with the files of the built-in guest, which is made if it is not there yet. All of them are root's.
 *
 * @throws what ensureBuiltinImage and makeRootDisk throw
 */
export async function makeBuiltinRootDisk(
  to: string,
  { dir, workplace, sizeMib, signal }: BuiltinRootOptions,
): Promise<void> {
  const { initramfs } = await ensureBuiltinImage({ dir, signal })
  const files = await filesIn(initramfs)
  const root = await mkdtemp(join(workplace, 'root-'))
  try {
    for (const file of files) await place(root, file)
    await makeRootDisk({ root, sizeMib }, to, signal)
    await giveToRoot(to, files, signal)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function filesIn(initramfs: string): Promise<CpioFile[]> {
  try {
    return [...readCpioFiles(await readFile(initramfs))].filter(({ path }) => !left.test(path))
  } catch (error) {
    throw asImageError(error, `reading the built-in guest in ${initramfs}`)
  }
}

async function place(root: string, { type, path, mode, data }: CpioFile): Promise<void> {
  const to = join(root, path)
  if (type === 'link') return await symlink(data.toString(), to)
  if (type === 'directory') await mkdir(to, { recursive: path === '.' })
  else await writeFile(to, data, { flag: 'wx' })
  await chmod(to, mode)
}

/** Nobody but root can make files that are root's: on the disk they still are those of whoever made them. */
async function giveToRoot(
  disk: string,
  files: readonly CpioFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (process.getuid?.() === 0) return
  const lines = files.flatMap(({ path }) =>
    ['uid', 'gid'].map(field => `set_inode_field "/${path}" ${field} 0\n`),
  )
  const input = Buffer.from(lines.join(''))
  await runTool({ command: 'debugfs', args: ['-w', '-f', '-', disk], input, package: 'e2fsprogs', signal })
  await sync(disk)
}
