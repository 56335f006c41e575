// @timeout 300
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Simulation, seeded, simulate } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { simulateDay } from './simulated-day.ts'

const test = suite('testing: the same seed, the same history')
const seed = takeSeed()

/** Three hours of some boxes that crash, under an engine that is killed; all records as text. */
async function ledgerOf(seed: number): Promise<string> {
  await using world = await Simulation.open({
    seed,
    script: () => ({ fates: [{ afterMs: 300_000, does: 'crash' }] }),
  })
  const random = seeded(seed)
  for (let n = 0; n < 4; n += 1) {
    const box = await world.runtime.create({ restart: { policy: 'always', backoff: { jitter: 0.5 } } })
    await world.until(box.start())
  }
  for (let n = 0; n < 12; n += 1) {
    await world.advance(random.between(0, 1_800_000))
    world.crash()
    await world.reopen()
  }
  await world.advance(60_000)
  const records: string[] = []
  for await (const record of world.runtime.events({ from: 1 })) records.push(JSON.stringify(record))
  return records.join('\n')
}

test('a ledger is the same byte by byte, with its times, IDs, hashes and jitter', async () => {
  const [first, again, other] = [await ledgerOf(seed), await ledgerOf(seed), await ledgerOf(seed + 1)]
  assert.ok(first.split('\n').length > 300)
  assert.is(again, first)
  assert.not.equal(other, first)
})

test('worlds side by side do not touch one another', async () => {
  const options = (n: number) => ({ seed: seed + n, boxes: 3, hours: 3, checks: 1 })
  const together = await Promise.all([0, 1, 2].map(n => simulate(options(n))))
  for (const [n, { hash }] of together.entries()) assert.is((await simulate(options(n))).hash, hash)
  assert.is(new Set(together.map(({ hash }) => hash)).size, 3)
})

test('whether a timeline is kept changes nothing', async () => {
  const options = { seed, boxes: 3, hours: 3, checks: 1 }
  const kept = await simulate(options)
  const left = await simulate({ ...options, timeline: false })
  assert.is(left.hash, kept.hash)
  assert.equal([kept.lines().length > 50, left.lines()], [true, []])
})

test('another process comes to the same, wherever on earth it runs', async () => {
  const { hash, crashes, violations } = await simulateDay(seed)
  assert.equal(violations, [])
  assert.ok(crashes > 0)
  const program = join(import.meta.dirname, 'simulated-day.js')
  const elsewhere = await promisify(execFile)(process.execPath, [program, String(seed)], {
    env: { ...process.env, TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8' },
  })
  assert.is(elsewhere.stdout.trim(), hash)
})

test.run()
