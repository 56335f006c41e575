/** A file of an archive of ours, see cpio.ts. */
export interface CpioFile {
  readonly type: 'directory' | 'file' | 'link'
  readonly path: string
  /** permissions */
  readonly mode: number
  /** content, or where a link leads */
  readonly data: Buffer
}

const types: Readonly<Record<number, CpioFile['type']>> = { 4: 'directory', 8: 'file', 10: 'link' }

/** In `bytes`. */
const headerLength = 110

/** The files of the first archive, devices left out; throws an Error for what is none. */
export function* readCpioFiles(bytes: Buffer): Generator<CpioFile> {
  const padded = (at: number) => at + ((4 - (at % 4)) % 4)
  for (let at = 0; ; ) {
    const field = (n: number) =>
      Number.parseInt(bytes.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16)
    if (bytes.toString('latin1', at, at + 6) !== '070701') throw new Error(`no cpio entry at ${at}`)
    const [mode, size, nameLength] = [field(1), field(6), field(11)]
    const path = bytes.toString('utf8', at + headerLength, at + headerLength + nameLength - 1)
    const from = padded(at + headerLength + nameLength)
    if (path === 'TRAILER!!!') return
    const type = types[mode >> 12]
    if (type !== undefined) yield { type, path, mode: mode & 0o7777, data: bytes.subarray(from, from + size) }
    at = padded(from + size)
  }
}
