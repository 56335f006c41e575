/**
 * Writer for the archive format Linux unpacks its first file system from, "newc": per entry a header of ASCII
 * hexadecimal numbers, the name, the content, each padded to 4 bytes; an entry named `TRAILER!!!` ends it. Several
 * archives may follow one another. Source: Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
 */
const types = { directory: 0o040000, file: 0o100000, link: 0o120000, characterDevice: 0o020000 } as const

export type CpioEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly type: 'file'; readonly path: string; readonly mode?: number; readonly data: Uint8Array }
  | { readonly type: 'link'; readonly path: string; readonly target: string }
  | {
      readonly type: 'characterDevice'
      readonly path: string
      readonly mode?: number
      readonly device: readonly [number, number]
    }

/** The end of an archive is padded to this, in `bytes`, so that another can follow and files can share blocks. */
export const cpioBlock = 4096

/**
 * Writes entries as one archive. Everything belongs to root and is dated 1970, so that the same entries give the same
 * bytes. Missing parent directories are added; a path given twice is an error. The directory that all are in is `.`.
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = []
  const seen = new Set<string>()
  let size = 0
  const push = (bytes: Uint8Array) => {
    parts.push(bytes)
    size += bytes.length
  }
  const pad = (to: number) => {
    const rest = size % to
    if (rest !== 0) push(Buffer.alloc(to - rest))
  }
  const write = (path: string, mode: number, data: Uint8Array, device: readonly [number, number]) => {
    const name = Buffer.from(`${path}\0`, 'utf8')
    // inode, mode, uid, gid, links, mtime, size, device, special device, name's length, unused checksum
    const fields = [seen.size, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length, 0]
    push(Buffer.from(`070701${fields.map(hex).join('')}`, 'latin1'))
    push(name)
    pad(4)
    push(data)
    pad(4)
  }
  const add = (entry: CpioEntry) => {
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))
    if (parent !== '' && !seen.has(parent)) add({ type: 'directory', path: parent })
    if (!isPlainPath(entry.path) && !(entry.path === '.' && entry.type === 'directory'))
      throw new TypeError(`not a plain relative path: ${JSON.stringify(entry.path)}`)
    if (seen.has(entry.path)) throw new TypeError(`given twice: ${entry.path}`)
    seen.add(entry.path)
    const data = entry.type === 'file' ? entry.data : entry.type === 'link' ? Buffer.from(entry.target) : none
    const device = entry.type === 'characterDevice' ? entry.device : noDevice
    write(entry.path, types[entry.type] | modeOf(entry), data, device)
  }
  for (const entry of entries) add(entry)
  write('TRAILER!!!', 0, none, noDevice)
  pad(cpioBlock)
  return Buffer.concat(parts, size)
}

const none = new Uint8Array(0)
const noDevice = [0, 0] as const

function modeOf(entry: CpioEntry): number {
  if (entry.type === 'link') return 0o777
  return entry.mode ?? (entry.type === 'directory' ? 0o755 : 0o644)
}

function isPlainPath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every(part => part !== '' && part !== '.' && part !== '..')
}

function hex(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw new RangeError(`no cpio field: ${value}`)
  return value.toString(16).padStart(8, '0')
}
