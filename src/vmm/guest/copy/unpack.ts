import { constants } from 'node:fs'
import { chmod, link, lstat, lutimes, mkdir, open, realpath, symlink, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTarEntries, type TarEntry } from '../../files/tar-reader.ts'

/** What all that is kept until the end may take, in `bytes`. */
const mostKept = 64 << 20

const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** What is done when all files are there. */
interface Kept {
  readonly path: string
  /** what a symbolic link says; absent: it is a directory */
  readonly to?: string
  readonly mode: number
  readonly mtime: Date
}

/**
 * Unpacks what a guest sends, which may be anything: nothing is made but `dir/name` and what is below it, each once.
 * Symbolic links keep their words, wherever those lead, and are made when all else is there: nothing is written through
 * them. Set-user-ID bits are dropped. Pipes and devices are passed over.
 *
 * @param onPiece told of each piece: its `bytes`, and how many entries were seen so far
 */
export async function unpackFromGuest(
  pieces: AsyncIterable<Uint8Array>,
  dir: string,
  name: string,
  onPiece: (bytes: number, entries: number) => void,
): Promise<void> {
  const top = await realpath(dir)
  const kept = new Map<string, Kept>()
  let keptBytes = 0
  let entries = 0
  const keep = (entry: Kept) => {
    keptBytes += entry.path.length + (entry.to?.length ?? 0) + 200
    if (keptBytes > mostKept) throw new Error('The guest sent too many directories and links')
    if (kept.has(entry.path)) throw new Error(`The guest sent ${entry.path} twice`)
    kept.set(entry.path, entry)
  }
  const counted = async function* () {
    for await (const piece of pieces) {
      yield piece
      onPiece(piece.length, entries)
    }
  }
  for await (const entry of readTarEntries(counted())) {
    entries += 1
    const { type, linkpath, mtime } = entry
    const path = within(entry.path, name)
    const mode = entry.mode & 0o777
    if (type === 'Directory') {
      await mkdir(join(top, path), { mode: 0o700 })
      keep({ path, mode, mtime })
    } else if (type === 'SymbolicLink') keep({ path, to: linkpath, mode, mtime })
    else if (type === 'Link') {
      const to = join(top, within(linkpath.replace(/^\.\//, ''), name))
      if (!(await lstat(to)).isFile())
        throw new Error(`The guest sent a link to ${linkpath}, which is no file`)
      await link(to, join(top, path))
    } else if (type === 'File' || type === 'OldFile') await write(join(top, path), entry)
  }
  await finish(top, [...kept.values()])
}

async function write(path: string, { content, mode, mtime }: TarEntry): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    for await (const bytes of content) await file.appendFile(bytes)
    await file.chmod(mode & 0o777)
    await file.utimes(mtime, mtime)
  } finally {
    await file.close()
  }
}

async function finish(top: string, kept: readonly Kept[]): Promise<void> {
  for (const { path, to, mtime } of kept)
    if (to !== undefined) {
      const parent = join(top, dirname(path))
      if ((await realpath(parent)) !== parent)
        throw new Error(`The guest sent ${path}, which is below a link`)
      await symlink(to, join(top, path))
      await lutimes(join(top, path), mtime, mtime)
    }
  for (const { path, to, mode, mtime } of [...kept].reverse())
    if (to === undefined) {
      await chmod(join(top, path), mode)
      await utimes(join(top, path), mtime, mtime)
    }
}

/** Path of an entry: `name`, or something below it. */
function within(path: string, name: string): string {
  const parts = path.split('/')
  if (parts[0] !== name || parts.some(part => part === '' || part === '.' || part === '..'))
    throw new Error(`The guest sent ${JSON.stringify(path)}, which is not of what was asked for`)
  return path
}
