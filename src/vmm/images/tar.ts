/**
 * Streaming reader for the tar archives inside Debian packages: ustar with GNU's long names ("L") and POSIX path
 * records ("x"). Only regular files are handed out. Layout: POSIX.1-1988 ustar; 512-byte headers and blocks.
 */
const block = 512

export interface TarFile {
  /** Path without a leading `./` */
  readonly path: string
  readonly data: Buffer
}

/** Yields the regular files whose path `wanted` accepts; the others are passed over without being kept in memory. */
export async function* readTar(
  input: AsyncIterable<Uint8Array>,
  wanted: (path: string) => boolean,
): AsyncGenerator<TarFile> {
  const source = blocks(input)
  let longName: string | undefined
  for (;;) {
    const header = await source.take(block)
    if (header === undefined || header.every(byte => byte === 0)) return
    checkHeader(header)
    const size = numberAt(header, 124, 12)
    const type = String.fromCharCode(header[156] ?? 0)
    const padded = Math.ceil(size / block) * block
    if (type === 'L' || type === 'x') {
      const data = await source.need(padded)
      longName = type === 'L' ? textAt(data, 0, size) : (pathRecord(data.subarray(0, size)) ?? longName)
      continue
    }
    const path = (longName ?? ustarPath(header)).replace(/^\.\//, '')
    longName = undefined
    if ((type === '0' || type === '\0') && wanted(path)) {
      yield { path, data: (await source.need(padded)).subarray(0, size) }
    } else {
      await source.skip(padded)
    }
  }
}

function checkHeader(header: Buffer): void {
  let sum = 0
  // The checksum field itself counts as spaces.
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0)
  if (sum !== numberAt(header, 148, 8)) throw new Error('tar: wrong header checksum')
}

function ustarPath(header: Buffer): string {
  const name = textAt(header, 0, 100)
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textAt(header, 345, 155) : ''
  return prefix === '' ? name : `${prefix}/${name}`
}

/** The `path` among records of the form "LENGTH KEY=VALUE\n". */
function pathRecord(data: Buffer): string | undefined {
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at)
    const length = Number.parseInt(data.toString('latin1', at, Math.max(at, space)), 10)
    if (!(length > 0)) throw new Error('tar: bad extended header')
    const record = data.toString('utf8', space + 1, at + length - 1)
    if (record.startsWith('path=')) return record.slice(5)
    at += length
  }
  return undefined
}

function textAt(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

function numberAt(header: Buffer, at: number, length: number): number {
  const text = textAt(header, at, length).trim()
  if (!/^[0-7]*$/.test(text)) throw new Error('tar: a number is not octal')
  return text === '' ? 0 : Number.parseInt(text, 8)
}

/** Cuts a stream of chunks of any size into the sizes asked for. */
function blocks(input: AsyncIterable<Uint8Array>) {
  const chunks = input[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)
  const next = async (): Promise<boolean> => {
    const { done, value } = await chunks.next()
    if (done === true) return false
    rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return true
  }
  const take = async (size: number): Promise<Buffer | undefined> => {
    const parts: Buffer[] = []
    for (let missing = size; missing > 0; ) {
      if (rest.length === 0 && !(await next())) {
        if (missing === size) return undefined
        throw new Error('tar: cut off')
      }
      const part = rest.subarray(0, missing)
      rest = rest.subarray(part.length)
      missing -= part.length
      parts.push(part)
    }
    return Buffer.concat(parts)
  }
  return {
    take,
    async need(size: number): Promise<Buffer> {
      const data = await take(size)
      if (data === undefined) throw new Error('tar: cut off')
      return data
    },
    async skip(size: number): Promise<void> {
      for (let missing = size; missing > 0; ) {
        if (rest.length === 0 && !(await next())) throw new Error('tar: cut off')
        const passed = Math.min(missing, rest.length)
        rest = rest.subarray(passed)
        missing -= passed
      }
    },
  }
}
