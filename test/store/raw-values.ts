import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Database, Medium, Tail, TailFile } from 'boxledger/store'
import { Level } from 'level'
import { MemoryLevel } from 'memory-level'
import { mutated } from '../support/mutate.ts'
import type { Random } from '../support/seed.ts'

/** All that a database holds, as bytes, by key. */
export type Dump = ReadonlyMap<string, Uint8Array>

/** Every kind of key there is. */
export const families = [
  'f/',
  'b/',
  'h/',
  'r/',
  'x/',
  'n/',
  'c/',
  'm/format',
  'm/home',
  'm/owner/',
  'm/segment/',
  'm/compacted',
  'm/repaired/',
  'm/loss/',
  'm/parked/',
] as const

/** What the database of a home holds that nobody has open. */
export const dumpOf = async (home: string): Promise<Dump> => {
  const db = new Level<string, Uint8Array>(join(home, 'ledger'), { valueEncoding: 'view' })
  try {
    return new Map(await db.iterator().all())
  } finally {
    await db.close()
  }
}

/** A database in memory, to be opened as that of the home of `good`; `held` gives what it holds by now. */
export const inMemory = async (
  dump: Dump,
  good: Dump,
  tail: Tail,
): Promise<{ readonly medium: Medium; readonly held: () => Promise<Dump> }> => {
  const db = new MemoryLevel<string, string>({ storeEncoding: 'buffer' })
  await db.batch(
    [...dump].map(([key, value]) => ({ type: 'put', key, value })),
    { valueEncoding: 'view' },
  )
  const tailFile: TailFile = {
    found: tail,
    condition: 'good',
    failure: undefined,
    read: () => tail,
    write: () => {},
    sync: () => {},
    close: () => {},
  }
  const medium: Medium = {
    lock: async () => ({ release: () => {} }),
    tailFile: () => tailFile,
    ballast: { drop: () => false, make: async () => true },
    identity: () => homeIn(good),
    database: async () => {
      await db.open()
      return db as unknown as Database
    },
  }
  const held = async () => {
    await db.open()
    return new Map(await db.iterator<string, Uint8Array>({ valueEncoding: 'view' }).all())
  }
  return { medium, held }
}

const homeIn = (dump: Dump): ReturnType<Medium['identity']> =>
  JSON.parse(
    Buffer.from(dump.get('m/home') ?? '')
      .toString('utf8')
      .slice(8),
  )

/** `damaged`: its checksum or its hash tells; `forged`: with a checksum that fits, which nobody but a forger writes. */
export type Harm = 'damaged' | 'forged'

const isSealed = (key: string): boolean => !/^(?:f\/|b\/|m\/format)/.test(key)
const sealed = (text: string): string => crc32(text).toString(16).padStart(8, '0') + text

/** Something else in the place of a value. */
export const harmed = (key: string, value: Uint8Array, harm: Harm, random: Random): Uint8Array => {
  const text = Buffer.from(value).toString('utf8')
  const [sum, json] = isSealed(key) ? [text.slice(0, 8), text.slice(8)] : ['', text]
  const other = otherThan(json, random)
  const whole = harm === 'forged' && isSealed(key) ? sealed(other) : sum + other
  // Damage leaves no trace of the text, now and then.
  return harm === 'damaged' && random.below(3) === 0 ? bytesOtherThan(value, random) : Buffer.from(whole)
}

const otherThan = (json: string, random: Random): string => {
  let other = json
  while (other === json)
    other = isJson(json) ? JSON.stringify(mutated(JSON.parse(json), random)) : words(random)
  return other
}

const words = (random: Random): string =>
  random.pick([
    '',
    '0',
    '-1',
    '1e3',
    'x',
    '@',
    '@1:2',
    '@9:0:5',
    '@1:0:999999999',
    '@000000001:0:1',
    ' 1',
    '01',
    '9'.repeat(400),
  ])

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

const bytesOtherThan = (value: Uint8Array, random: Random): Uint8Array => {
  const bytes = Buffer.from(value)
  const what = random.below(4)
  if (what === 0) return bytes.subarray(0, random.below(bytes.length))
  if (what === 1) return Buffer.concat([bytes, Buffer.from([random.below(256)])])
  if (what === 2) return Buffer.from(Array.from({ length: random.below(60) }, () => random.below(256)))
  const at = random.below(bytes.length)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at)
  return bytes
}
