import { join } from 'node:path'
import { type Ledger, openLedger } from 'boxledger/store'
import { ClassicLevel } from 'classic-level'
import { buildLongLedger } from './long-ledger.ts'
import { medianOf } from './raw.ts'

export interface Audit {
  readonly records: number
  /** how long the ledger took to build, in `s` */
  readonly buildSeconds: number
  /** frames and bodies through an iterator of LevelDB, as pairs a second: the limit */
  readonly rawPerSecond: number
  readonly exportPerSecond: number
  readonly verifyPerSecond: number
  /** of random versions of random boxes, in `ms` */
  readonly stateAt: { readonly p50: number; readonly most: number }
}

/** How often a past state is asked for. */
const looks = 500
/** Each measure is taken so often, one after the other, so that a slow moment is one of all of them. */
const rounds = 3

/** Reading all of a long ledger: what an export and a check cost beside the reading itself. */
export async function measureAudit(home: string, records: number): Promise<Audit> {
  const began = performance.now()
  const built = await buildLongLedger(home, records)
  const buildSeconds = (performance.now() - began) / 1_000
  // Once in vain, so that all of them find the files at hand.
  await readRaw(home)
  const [raw, exported, verified] = [[], [], []] as [number[], number[], number[]]
  for (let round = 1; ; round += 1) {
    raw.push(await timed(() => readRaw(home)))
    const ledger = await openLedger({ home, bootId: 'bench', engine: 'bench/0', now: Date.now })
    try {
      exported.push(await timed(() => exportAll(ledger, built.records)))
      verified.push(await timed(() => verifyAll(ledger, built.records)))
      if (round < rounds) continue
      return {
        records: built.records,
        buildSeconds,
        rawPerSecond: built.records / medianOf(raw),
        exportPerSecond: built.records / medianOf(exported),
        verifyPerSecond: built.records / medianOf(verified),
        stateAt: await lookBack(ledger, built.boxes),
      }
    } finally {
      await ledger.close()
    }
  }
}

async function exportAll(ledger: Ledger, records: number): Promise<void> {
  let lines = 0
  for await (const page of ledger.export()) lines += page.length
  if (lines !== 2 * records + 2) throw new Error(`An export of ${lines} lines`)
}

async function verifyAll(ledger: Ledger, records: number): Promise<void> {
  const { ok, records: checked } = await ledger.verify()
  if (!ok || checked !== records) throw new Error(`${checked} records verified, ok: ${ok}`)
}

/** Each with the number of executions that the box had had, as `stateAt` tells it. */
async function lookBack(ledger: Ledger, boxes: readonly string[]) {
  const times: number[] = []
  for (let n = 0; n < looks; n += 1) {
    const box = boxes[(n * 7919) % boxes.length] as string
    const version = 1 + ((n * 104_729) % (ledger.head(box)?.version ?? 1))
    const began = performance.now()
    const found = await ledger.past.headAt(box, { version })
    await ledger.past.executionsUntil(box, found?.position ?? 0)
    times.push(performance.now() - began)
    if (found?.version !== version) throw new Error(`Version ${version} of ${box} was not found`)
  }
  return { p50: medianOf(times), most: Math.max(...times) }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}

async function readRaw(home: string): Promise<void> {
  const db = new ClassicLevel<string, string>(join(home, 'ledger'))
  await db.open()
  for (const range of [
    { gte: 'f/', lt: 'f0' },
    { gte: 'b/', lt: 'b0' },
  ]) {
    const iterator = db.iterator({ ...range, highWaterMarkBytes: 4 << 20 })
    for (let page = await iterator.nextv(512); page.length > 0; ) page = await iterator.nextv(512)
    await iterator.close()
  }
  await db.close()
}
