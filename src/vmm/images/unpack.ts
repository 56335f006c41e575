import * as zlib from 'node:zlib'
import { runTool } from './host-tool.ts'
import { asImageError, ImageError, systemCode } from './image-error.ts'
import { unpackLz4Legacy } from './lz4.ts'

export type Packing = 'none' | 'gzip' | 'lz4' | 'xz' | 'zstd' | 'unknown'

/** Programs for what neither Node nor this project unpacks. A name of the PATH, or the path of a copy. */
export interface Unpackers {
  readonly xz: readonly string[]
  readonly zstd: () => Promise<readonly string[]>
  readonly signal?: AbortSignal | undefined
}

const magics: readonly (readonly [Packing, string])[] = [
  ['none', '7f454c46'],
  ['gzip', '1f8b'],
  ['lz4', '02214c18'],
  ['xz', 'fd377a585a00'],
  ['zstd', '28b52ffd'],
]

/** Tells by the first bytes how an ELF file is packed. */
export function packingOf(data: Uint8Array): Packing {
  const head = Buffer.from(data.subarray(0, 8)).toString('hex')
  return magics.find(([, magic]) => head.startsWith(magic))?.[0] ?? 'unknown'
}

/** Unpacks an ELF file; `size` in bytes is needed for lz4 only, whose frame does not tell. */
export async function unpack(data: Buffer, unpackers: Unpackers, size = 0): Promise<Buffer> {
  const packing = packingOf(data)
  const { signal } = unpackers
  try {
    switch (packing) {
      case 'none':
        return data
      case 'gzip':
        return zlib.gunzipSync(data)
      case 'lz4':
        return unpackLz4Legacy(data, size)
      case 'xz': {
        const [command = 'xz', ...args] = unpackers.xz
        return await runTool({ command, args: [...args, '-dc'], input: data, package: 'xz-utils', signal })
      }
      case 'zstd': {
        const native = nodeZstd()
        if (native !== undefined) return native(data)
        const [command = 'zstd', ...args] = await unpackers.zstd()
        return await runTool({ command, args: [...args, '-dc'], input: data, package: 'zstd', signal })
      }
      case 'unknown': {
        const head = data.toString('hex', 0, 8)
        throw new ImageError('UNSUPPORTED', `Unknown packing (first bytes ${head}).`, { head })
      }
    }
  } catch (error) {
    throw asImageError(error, `unpacking ${packing} data`)
  }
}

/** Whether a program is there to be run. */
export async function canRun(command: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await runTool({ command, args: ['--version'], package: command, signal })
    return true
  } catch (error) {
    if (error instanceof ImageError && error.code === 'UNSUPPORTED') return false
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Node's own zstd, which came with 22.15. */
function nodeZstd(): ((data: Buffer) => Buffer) | undefined {
  const found: unknown = Reflect.get(zlib, 'zstdDecompressSync')
  return typeof found === 'function' ? data => Buffer.from(Reflect.apply(found, zlib, [data])) : undefined
}
