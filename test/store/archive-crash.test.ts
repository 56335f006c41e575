// @timeout 60
// @timeout-long 300
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LedgerRecord } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { all, create, open, remove } from './boxes.ts'

const test = suite('archive: crash points')
const archiver = fileURLToPath(new URL('./archiver.js', import.meta.url))

/** In the long run there are records for two segments: what was closed before a crash stays closed. */
const boxes = sized(40, 5_600)

async function fill(home: string): Promise<LedgerRecord[]> {
  const ledger = await open(home, { durability: 'process' })
  const ids = Array.from({ length: boxes }, (_, n) => `box-${n}`)
  await create(ledger, 'lives', 'living')
  await Promise.all(
    ids.map(async id => {
      await create(ledger, id, id.toUpperCase(), { commandId: `make-${id}` })
      await remove(ledger, id)
    }),
  )
  const truth = await all(ledger.read())
  await ledger.close()
  return truth
}

function sizeOf(directory: string): number {
  return readdirSync(directory)
    .filter(name => name !== 'ballast')
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

function run(home: string, at: number) {
  const { stdout, signal, stderr } = spawnSync(process.execPath, [archiver, home, String(at)], {
    encoding: 'utf8',
  })
  assert.is(stderr, '')
  return { lines: stdout.trim().split('\n'), signal }
}

test('killed between any two steps: nothing is lost, and a second archiving goes on', () =>
  withTempDir(async dir => {
    const origin = join(dir, 'origin')
    const truth = await fill(origin)
    const whole = join(dir, 'whole')
    cpSync(origin, whole, { recursive: true })
    const boundaries = run(whole, 0).lines.slice(0, -1)
    assert.is(boundaries.length, sized(10, 20))
    const segments = readdirSync(join(whole, 'archive'))

    for (const [n, boundary] of boundaries.entries()) {
      const home = join(dir, `home-${n}`)
      cpSync(origin, home, { recursive: true })
      const { lines, signal } = run(home, n + 1)
      assert.is(signal, 'SIGKILL')
      assert.is(lines.at(-1), boundary)

      const ledger = await open(home)
      assert.equal(await all(ledger.read()), truth, boundary)
      assert.equal((await ledger.verify()).problems, [], boundary)
      await ledger.archive(Date.now() + 1)
      assert.equal(await all(ledger.read()), truth, boundary)
      assert.equal((await ledger.verify()).problems, [], boundary)
      // What was cut off is gone, or has become the segment that it was to be.
      assert.equal(readdirSync(join(home, 'archive')), segments, boundary)
      await ledger.close()
    }
    process.stdout.write(`\narchive crash points: ${boundaries.length} of ${boundaries.length} survived\n`)
  }))

test('compacting gives the space back', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const database = join(home, 'ledger')
    const truth = await fill(home)
    const ledger = await open(home)
    for (let n = 0; n < sized(200, 1_000); n += 1) await create(ledger, `long-${n}`, null)
    for (let n = 0; n < sized(200, 1_000); n += 1) await remove(ledger, `long-${n}`)
    await ledger.compact()
    const before = sizeOf(database)
    const { bytes } = await ledger.archive(Date.now() + 1)
    const compacted = await ledger.compact()
    const after = sizeOf(database)
    assert.is.not(bytes, 0)
    assert.ok(after < before * 0.8, `${before} bytes before, ${after} after`)
    assert.ok(compacted.after < compacted.before, JSON.stringify(compacted))
    assert.ok((await all(ledger.read({ to: truth.length }))).length === truth.length)
    assert.equal((await ledger.verify()).problems, [])
    await ledger.close()
    process.stdout.write(`\ncompacted: ${before} bytes before, ${after} after, ${bytes} in the archive\n`)
  }))

test.run()
