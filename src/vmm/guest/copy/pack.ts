import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Header } from 'tar'

const blockBytes = 512
const pieceBytes = 64 << 10
/** What fits in a header without help. */
const longestName = 100

/** A tree on its way into a guest, by what it is called in the archive. */
interface Packed {
  readonly path: string
  readonly stats: Stats
  readonly type: 'File' | 'Directory' | 'SymbolicLink' | 'Link'
  readonly linkpath?: string
}

/**
 * A tar archive of `dir/name` and what is below it, as busybox reads them: long names in the GNU way. One file is open at
 * a time, and none any more when the reader leaves. Pipes, devices and sockets are passed over.
 */
export async function* packTree(
  dir: string,
  name: string,
  onEntry: () => void,
): AsyncGenerator<Buffer, void, undefined> {
  const known = new Map<string, string>()
  const walk = async function* (path: string): AsyncGenerator<Buffer, void, undefined> {
    const place = join(dir, path)
    const stats = await lstat(place)
    if (stats.isDirectory()) {
      onEntry()
      yield* headOf({ path: `${path}/`, stats, type: 'Directory' })
      for (const child of await readdir(place)) yield* walk(`${path}/${child}`)
    } else if (stats.isSymbolicLink()) {
      onEntry()
      yield* headOf({ path, stats, type: 'SymbolicLink', linkpath: await readlink(place) })
    } else if (stats.isFile()) {
      onEntry()
      const inode = `${stats.dev} ${stats.ino}`
      const linkpath = known.get(inode)
      if (linkpath !== undefined) yield* headOf({ path, stats, type: 'Link', linkpath })
      else {
        if (stats.nlink > 1) known.set(inode, path)
        yield* fileOf(place, path)
      }
    }
  }
  yield* walk(`./${name}`)
  yield Buffer.alloc(2 * blockBytes)
}

async function* fileOf(place: string, path: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const stats = await file.stat()
    yield* headOf({ path, stats, type: 'File' })
    for (let left = stats.size; left > 0; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(pieceBytes, left)))
      if (bytesRead === 0) throw new Error(`${place} became shorter while it was read`)
      left -= bytesRead
      yield buffer.subarray(0, bytesRead)
    }
    yield paddingOf(stats.size)
  } finally {
    await file.close()
  }
}

function* headOf({ path, stats, type, linkpath = '' }: Packed): Generator<Buffer> {
  if (Buffer.byteLength(linkpath) > longestName) yield* longName('NextFileHasLongLinkpath', linkpath)
  if (Buffer.byteLength(path) > longestName) yield* longName('NextFileHasLongPath', path)
  const size = type === 'File' ? stats.size : 0
  yield blockOf({
    path: cut(path),
    linkpath: cut(linkpath),
    type,
    size,
    mode: stats.mode & 0o7777,
    mtime: stats.mtime,
  })
}

function* longName(type: 'NextFileHasLongPath' | 'NextFileHasLongLinkpath', name: string): Generator<Buffer> {
  const bytes = Buffer.from(`${name}\0`)
  yield blockOf({ path: '././@LongLink', type, size: bytes.length, mode: 0o644, mtime: new Date(0) })
  yield bytes
  yield paddingOf(bytes.length)
}

function blockOf(head: ConstructorParameters<typeof Header>[0] & object): Buffer {
  const block = Buffer.alloc(blockBytes)
  new Header({ uid: 0, gid: 0, ...head }).encode(block)
  return block
}

function paddingOf(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}

/** A name that is given in full before: what of it fits. */
function cut(name: string): string {
  const bytes = Buffer.from(name)
  return bytes.length <= longestName
    ? name
    : bytes.toString('latin1', 0, longestName).replace(/[^\x20-\x7e]/g, '_')
}
