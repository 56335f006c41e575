import { Header, Pax } from 'tar'

const blockBytes = 512
const pieceBytes = 64 << 10

/** Longest path, in `bytes`. */
const longestPath = 4096
/** Longest of what describes an entry, in `bytes`. */
const longestMeta = 64 << 10
/** What may follow the end of an archive, in `bytes`: tar fills up to a record of its own. */
const longestEnd = 1 << 20

/** Entry of an archive; its content is there until the next one is asked for. */
export interface TarEntry {
  /** without a leading `./` and a trailing slash */
  readonly path: string
  readonly type: string
  /** what a link leads to */
  readonly linkpath: string
  readonly mode: number
  readonly mtime: Date
  readonly content: AsyncGenerator<Buffer, void, undefined>
}

/**
 * Reads an archive as it comes, one entry after the other: ustar with GNU's long names and POSIX's path records.
 * Whatever the bytes are, it holds no more of them than one entry's description. Throws for what is no archive, or is
 * cut off.
 */
export async function* readTarEntries(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new Bytes(pieces)
  let path: string | undefined
  let linkpath: string | undefined
  for (;;) {
    const head = new Header(await bytes.exactly(blockBytes), 0)
    if (head.nullBlock) break
    if (!head.cksumValid) throw new Error('It is no tar archive, or a damaged one')
    const size = head.size ?? 0
    if (isMeta(head.type)) {
      if (size > longestMeta) throw new Error(`A path of ${size} bytes`)
      const text = (await bytes.exactly(padded(size))).toString('utf8', 0, size)
      if (head.type === 'ExtendedHeader') {
        const pax = Pax.parse(text)
        path = pax.path ?? path
        linkpath = pax.linkpath ?? linkpath
      } else if (head.type === 'NextFileHasLongLinkpath') linkpath = upToNul(text)
      else if (head.type === 'NextFileHasLongPath') path = upToNul(text)
      continue
    }
    let left = size
    const content = async function* () {
      while (left > 0) {
        const piece = await bytes.some(Math.min(pieceBytes, left))
        left -= piece.length
        yield piece
      }
    }
    yield {
      path: checked(path ?? head.path ?? '')
        .replace(/^\.\//, '')
        .replace(/\/$/, ''),
      linkpath: checked(linkpath ?? head.linkpath ?? ''),
      type: head.type,
      mode: head.mode ?? 0o644,
      mtime: head.mtime ?? new Date(0),
      content: content(),
    }
    path = linkpath = undefined
    while (left > 0) left -= (await bytes.some(left)).length
    await bytes.exactly(padded(size) - size)
  }
  await bytes.end()
}

function isMeta(type: string): boolean {
  return /^(NextFileHasLong(Path|Linkpath)|(Global)?ExtendedHeader)$/.test(type)
}

function upToNul(text: string): string {
  return text.split('\0', 1)[0] ?? ''
}

function checked(text: string): string {
  if (text.includes('\0') || Buffer.byteLength(text) > longestPath) throw new Error('A path that is none')
  return text
}

function padded(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes
}

/** A stream of pieces of any size, cut into the sizes that are asked for. */
class Bytes {
  readonly #pieces: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]()
  }

  /** At least one byte. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0)
      if (!(await this.#next())) throw new Error('It is no tar archive, or one that is cut off')
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  async exactly(size: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let left = size; left > 0; ) {
      const part = await this.some(left)
      left -= part.length
      parts.push(part)
    }
    return Buffer.concat(parts)
  }

  async end(): Promise<void> {
    for (let seen = this.#rest.length; seen <= longestEnd; seen += this.#rest.length)
      if (!(await this.#next())) return
    throw new Error('It goes on behind its end')
  }

  async #next(): Promise<boolean> {
    const { done, value } = await this.#pieces.next()
    if (done === true) return false
    this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return true
  }
}
