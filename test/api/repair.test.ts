import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { damage } from './damage.ts'
import { ways } from './ways.ts'

const test = suite('api: repair')

async function errorOf(work: Promise<unknown>): Promise<BoxError> {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  if (!BoxError.is(error)) throw new Error(`not a BoxError: ${error}`)
  return error
}

/** A home with a box that will be damaged, one that is good, and one that is gone. */
async function fill(home: string): Promise<{ bad: string; good: string; gone: string }> {
  await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
  const bad = await runtime.create({ name: 'bad' })
  const good = await runtime.create({ name: 'good', labels: { a: 'b' } }, { commandId: 'make-good' })
  const gone = await runtime.create({ name: 'gone' })
  await gone.remove()
  await runtime.rename('bad', 'worse')
  return { bad: bad.id, good: good.id, gone: gone.id }
}

for (const way of ways)
  test(`${way.name}: a home without CURRENT and with a bad record: what is good lives in the new home`, () =>
    withTempDir(async dir => {
      const home = join(dir, 'old')
      const target = join(dir, 'new')
      const { bad, good, gone } = await fill(home)
      await damage(home, `b/${bad}/`)
      rmSync(join(home, 'ledger', 'CURRENT'))
      assert.is((await errorOf(BoxRuntime.open({ home }))).code, 'LEDGER_CORRUPT')

      const report = await BoxRuntime.repair(home, target)
      assert.equal(report.parked, [{ box: bad, position: 1, reason: 'the body is lost' }])
      assert.equal(report.problems, [])
      assert.not(existsSync(join(home, 'ledger', 'CURRENT')))
      assert.equal(readdirSync(target).sort(), ['ledger', 'ledger.tail', 'lock'])

      await using opened = await way.open({ home: target, vmm: { binary: instantVmm } })
      const { runtime } = opened
      assert.is(
        (await errorOf(runtime.rename('worse', 'other'))).code,
        'INVALID_STATE',
        'a copy, not adopted',
      )
      await runtime.adopt()
      const listed = await runtime.listInfo()
      assert.equal(listed.map(({ id }) => id).sort(), [bad, good].sort())
      assert.equal((await runtime.getInfo('worse'))?.parked, { position: 1, reason: 'the body is lost' })
      assert.equal((await runtime.getInfo('good'))?.labels, { a: 'b' })
      assert.is((await errorOf(runtime.rename('worse', 'other'))).code, 'LEDGER_CORRUPT')
      const seen: number[] = []
      for await (const { position } of runtime.events()) seen.push(position)
      // What is declared as lost is passed over.
      assert.is(seen.length, report.records)
      let versions = 0
      for await (const { box } of runtime.history(gone)) versions += box === gone ? 1 : 0
      assert.ok(versions > 2)
      const verified = await runtime.verify({ replay: true })
      assert.equal(
        verified.problems.map(({ kind, box }) => `${kind} ${box}`),
        [`parked ${bad}`],
      )
    }))

test('places that will not do are refused', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await fill(home)
    for (const [from, to, field] of [
      [home, home, 'target'],
      [home, join(home, 'x'), 'target'],
      [home, '', 'target'],
      [home, 7 as never, 'target'],
      ['', join(dir, 'new'), 'home'],
      [undefined as never, join(dir, 'new'), 'home'],
      [join(dir, 'none'), join(dir, 'new'), 'home'],
      [home, `/${'long'.repeat(40)}`, 'home'],
    ] as const) {
      const error = await errorOf(BoxRuntime.repair(from, to))
      assert.is(error.code, 'INVALID_ARGUMENT', `${from} to ${to}`)
      assert.is(error.details.field, field, `${from} to ${to}`)
    }
    await using _ = await BoxRuntime.open({ home })
    assert.is((await errorOf(BoxRuntime.repair(home, join(dir, 'new')))).code, 'ENGINE_LOCKED')
    assert.equal(readdirSync(dir), ['home'])
  }))

test.run()
