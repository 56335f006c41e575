import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

/** Sizes of what one transition writes, key and value, in `bytes`. */
export type Shape = readonly { readonly key: number; readonly value: number }[]

export interface Raw {
  readonly perSecond: number
  /** of one batch, in `ms` */
  readonly p50: number
}

/** The limit: LevelDB alone, batches of the same bytes and grouping, each synced. */
export async function measureRaw(shape: Shape, groups: readonly number[]): Promise<Raw> {
  const directory = await mkdtemp(join(tmpdir(), 'bl-raw-'))
  const db = new ClassicLevel<string, Buffer>(directory, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
  await db.open()
  const noise = Buffer.from(Array.from({ length: 1 << 16 }, (_, n) => 32 + ((n * 7919) % 90)))
  let written = 0
  const times: number[] = []
  const began = performance.now()
  for (const group of groups) {
    const batch = db.batch()
    for (let n = 0; n < group; n += 1) {
      written += 1
      for (const { key, value } of shape) {
        const from = (written * 31) % (noise.length - value)
        batch.put(String(written).padStart(key, '0'), noise.subarray(from, from + value))
      }
    }
    const before = performance.now()
    await batch.write({ sync: true })
    times.push(performance.now() - before)
  }
  const seconds = (performance.now() - began) / 1_000
  await db.close()
  await rm(directory, { recursive: true })
  return { perSecond: written / seconds, p50: medianOf(times) }
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
