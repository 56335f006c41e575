import { BoxError, type BoxInfo, BoxRuntime } from 'boxledger'
import { take } from 'rxjs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { damage } from './damage.ts'
import { ways } from './ways.ts'

const test = suite('api: a parked box')

test('is listed with the reason and takes no commands; all other boxes go on', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home })
    const bad = await first.create({ name: 'bad' })
    const good = await first.create({ name: 'good' })
    await first.close()
    await damage(home, bad.id)

    await using second = await BoxRuntime.open({ home })
    const listed = await second.listInfo()
    assert.equal(listed.map(({ id }) => id).sort(), [bad.id, good.id].sort())
    const info = await second.getInfo(bad.id)
    assert.type(info?.parked?.reason, 'string')
    assert.ok(await second.exists(bad.id))
    const box = await second.get(bad.id)
    for (const work of [() => box?.start(), () => box?.wait(), () => box?.stop()]) {
      const error = await work()?.then(
        () => undefined,
        error => error,
      )
      assert.ok(BoxError.is(error, 'LEDGER_CORRUPT'), String(error))
    }
    assert.is((await second.getInfo('good'))?.parked, undefined)
    await second.rename('good', 'better')
    const report = await second.verify()
    assert.not.ok(report.ok)
    assert.equal(report.parked, [bad.id])
  }))

for (const way of ways)
  test(`is among the boxes that are watched: ${way.name}`, () =>
    withTempDir(async home => {
      const first = await BoxRuntime.open({ home })
      const bad = await first.create({ name: 'bad' })
      const good = await first.create({ name: 'good' })
      await first.close()
      await damage(home, bad.id)

      await using opened = await way.open({ home })
      const { runtime } = opened
      const next = () =>
        new Promise<readonly BoxInfo[]>((resolve, reject) => {
          runtime.boxes$.pipe(take(1)).subscribe({ next: resolve, error: reject })
        })
      assert.equal(await next(), await runtime.listInfo())
      await runtime.rename('good', 'better')
      const [shown, parked] = await next()
      assert.equal([shown?.id, shown?.name, parked?.id], [good.id, 'better', bad.id])
      assert.type(parked?.parked?.reason, 'string')
    }))

test('records of a good box are read past the damage of another', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home })
    const good = await first.create({ name: 'good' })
    const bad = await first.create({ name: 'bad' })
    await first.rename('good', 'better')
    await first.close()
    await damage(home, `b/${bad.id}/`)

    for (const connect of [false, true]) {
      await using owner = await BoxRuntime.open({ home })
      await using runtime = connect ? await BoxRuntime.connect({ home }) : owner
      const box = await runtime.get(good.id)
      const before: number[] = []
      for await (const { position } of box?.events() ?? []) before.push(position)
      assert.equal(before.slice(0, 2), [1, 3])
      const seen: number[] = []
      for await (const { position } of runtime.events({ box: good.id, follow: true })) {
        seen.push(position)
        if (seen.length === before.length) await owner.rename(good.id, `then-${connect}`)
        if (seen.length > before.length) break
      }
      assert.equal(seen.slice(0, -1), before)
      assert.is(seen.at(-1), (await owner.getInfo(good.id))?.position)
      // The damaged record cannot be counted: it was the other creation.
      const { created, position } = await runtime.metrics()
      assert.equal([created, position], [1, owner === runtime ? 4 : 5])
    }
  }))

test('a removed box with damage is not listed as one that is there', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home })
    const gone = await first.create({ name: 'gone' })
    await gone.remove()
    await first.close()
    await damage(home, `b/${gone.id}/`)

    await using runtime = await BoxRuntime.open({ home })
    assert.equal(await runtime.listInfo(), [])
    assert.not(await runtime.exists(gone.id))
    assert.is(await runtime.getInfo(gone.id), undefined)
    const verified = await runtime.verify()
    assert.equal(verified.parked, [gone.id])
    await using client = await BoxRuntime.connect({ home })
    for (const each of [runtime, client]) {
      const reading = each.history(gone.id)
      const error = await reading.next().catch(error => error)
      assert.ok(BoxError.is(error, 'LEDGER_CORRUPT'), String(error))
    }
  }))

test.run()
