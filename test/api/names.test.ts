import { BoxError, BoxRuntime, type ErrorCode } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { ways } from './ways.ts'

const rejects = async (code: ErrorCode, work: Promise<unknown>, details: Record<string, unknown> = {}) => {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  assert.ok(BoxError.is(error, code), `${code}, not ${error}`)
  for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value, key)
}

const series = (...ids: string[]) => {
  let n = 0
  return () => ids[n++] ?? `filler${String(n).padStart(6, '0')}`
}

for (const way of ways) {
  const test = suite(`api: names and IDs, ${way.name}`)

  const withRuntime = (use: (runtime: BoxRuntime) => Promise<void>, ids?: () => string) =>
    withTempDir(async home => {
      await using opened = await way.open({
        home,
        vmm: { binary: instantVmm },
        ...(ids === undefined ? {} : { ids }),
      })
      await use(opened.runtime)
    })

  test('20 concurrent getOrCreate give one box and one created', () =>
    withRuntime(async runtime => {
      const all = await Promise.all(Array.from({ length: 20 }, () => runtime.getOrCreate({ name: 'x' })))
      assert.is(all.filter(({ created }) => created).length, 1)
      assert.is(new Set(all.map(({ box }) => box.id)).size, 1)
      assert.is((await runtime.listInfo()).length, 1)
    }))

  test('20 concurrent creates of one name give one box', () =>
    withRuntime(async runtime => {
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => runtime.create({ name: 'x' })))
      assert.is(all.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const one of all) if (one.status === 'rejected') assert.ok(BoxError.is(one.reason, 'NAME_TAKEN'))
    }))

  test('getOrCreate tells which options differ, and changes nothing', () =>
    withRuntime(async runtime => {
      await runtime.create({ name: 'x', cpus: 2, labels: { a: '1' } })
      const { created, differs } = await runtime.getOrCreate({
        name: 'x',
        cpus: 1,
        memoryMib: 256,
        labels: { a: '2' },
      })
      assert.not.ok(created)
      assert.equal(differs.sort(), ['cpus', 'labels'])
      assert.is((await runtime.getInfo('x'))?.spec.cpus, 2)
    }))

  test('a prefix never matters for uniqueness, getOrCreate or remove', () =>
    withRuntime(
      async runtime => {
        const first = await runtime.create({ name: 'database' })
        assert.is((await runtime.get('abcd'))?.id, first.id)
        const { box, created } = await runtime.getOrCreate({ name: 'abcd' })
        assert.ok(created)
        assert.is((await runtime.get('abcd'))?.id, box.id, 'a name beats a prefix')
        await rejects('NOT_FOUND', runtime.remove('abcde'))
        await rejects('NOT_FOUND', runtime.rename('abcde', 'z'))
        assert.is((await runtime.get('abcde'))?.id, first.id)
      },
      series('abcdefghijkl', '000000000001'),
    ))

  test('prefixes need 4 characters and one match', () =>
    withRuntime(
      async runtime => {
        await runtime.create()
        await runtime.create()
        assert.is(await runtime.get('abc'), undefined)
        await rejects('AMBIGUOUS_ID', runtime.get('abcd'), { matches: ['abcdefghijkl', 'abcdzzzzzzzz'] })
        assert.is((await runtime.get('abcde'))?.id, 'abcdefghijkl')
        assert.is(await runtime.get(''), undefined)
        assert.is(await runtime.getInfo('no such thing/'), undefined)
        assert.is(await runtime.exists('../../etc'), false)
        await rejects('NOT_FOUND', runtime.remove('no such thing/'))
        await rejects('INVALID_ARGUMENT', runtime.get(42 as unknown as string))
      },
      series('abcdefghijkl', 'abcdzzzzzzzz'),
    ))

  test('a name is that of one living box, is no living ID, and is free after removal', () =>
    withRuntime(async runtime => {
      const box = await runtime.create({ name: 'x' })
      await rejects('NAME_TAKEN', runtime.create({ name: 'x' }))
      await rejects('NAME_TAKEN', runtime.create({ name: box.id }))
      await rejects('NAME_TAKEN', runtime.getOrCreate({ name: box.id }))
      const other = await runtime.create()
      await rejects('NAME_TAKEN', runtime.rename(other.id, 'x'))
      await box.remove()
      await runtime.rename(other.id, 'x')
      assert.is((await runtime.get('x'))?.id, other.id)
      await runtime.rename('x', null)
      assert.is(await runtime.get('x'), undefined)
      assert.is(other.name, undefined)
    }))

  test('names are checked, case counts', () =>
    withRuntime(async runtime => {
      for (const name of ['', '-a', '.a', 'a/b', 'a b', 'a\n', 'ä', 'x'.repeat(64), null, 7])
        await rejects('INVALID_ARGUMENT', runtime.create({ name } as never), { field: 'name' })
      await runtime.create({ name: 'a' })
      await runtime.create({ name: 'A' })
      await runtime.create({ name: `x${'.-_9'.repeat(15)}yz` })
    }))

  test('a removed box is gone by name and ID; its history stays by ID', () =>
    withRuntime(async runtime => {
      const box = await runtime.create({ name: 'x' })
      await runtime.remove('x')
      assert.is(await runtime.get('x'), undefined)
      assert.is(await runtime.get(box.id), undefined)
      const types: string[] = []
      for await (const { event } of runtime.history(box.id)) types.push(event.type)
      assert.equal(types, ['box.created', 'remove.requested', 'box.removed'])
      assert.is((await box.info()).state, 'removed')
      await rejects('NOT_FOUND', box.start())
    }))

  test('lists are newest first, filtered, and paged by ID', () =>
    withRuntime(async runtime => {
      for (let n = 0; n < 5; n += 1)
        await runtime.create({ name: `n${n}`, labels: { parity: n % 2 ? 'odd' : 'even' } })
      const names = async (filter: Parameters<BoxRuntime['listInfo']>[0]) =>
        (await runtime.listInfo(filter)).map(({ name }) => name)
      assert.equal(await names({}), ['n4', 'n3', 'n2', 'n1', 'n0'])
      assert.equal(await names({ labels: { parity: 'odd' } }), ['n3', 'n1'])
      assert.equal(await names({ names: ['n1', 'n4', 'none'] }), ['n4', 'n1'])
      assert.equal(await names({ states: ['running'] }), [])
      const [, second] = await runtime.listInfo({ limit: 2 })
      assert.equal(await names({ after: second?.id as string, limit: 2 }), ['n2', 'n1'])
    }))

  test('options are checked, and the field is named', () =>
    withRuntime(async runtime => {
      const bad: [string, unknown][] = [
        ['cpus', { cpus: 0 }],
        ['cpus', { cpus: 1.5 }],
        ['cpus', { cpus: '2' }],
        ['memoryMib', { memoryMib: 63 }],
        ['memoryMib', { memoryMib: null }],
        ['colour', { colour: 'red' }],
        ['image.kernel', { image: { kernel: '' } }],
        ['command', { command: [] }],
        ['env.A', { env: { A: 1 } }],
        ['ready.console', { ready: { console: '(' } }],
        ['stopTimeoutMs', { stopTimeoutMs: -1 }],
        ['options', null],
        ['options', { command: ['x'.repeat(40_000)] }],
        ['env', { env: { A: 'x'.repeat(70_000) } }],
        ['labels', { labels: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, ''])) }],
      ]
      for (const [field, options] of bad) {
        const error = await runtime.create(options as never).then(
          () => undefined,
          error => error,
        )
        assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), `${field}: ${error}`)
        assert.is(error.details.field, field)
      }
      assert.equal(await runtime.listInfo(), [])
      const report = await runtime.verify()
      assert.is(report.records, 0)
    }))

  test.run()
}

const test = suite('api: one owner')

test('a second engine on a home gets ENGINE_LOCKED, which names the owner', () =>
  withTempDir(async home => {
    const runtime = await BoxRuntime.open({ home })
    await rejects('ENGINE_LOCKED', BoxRuntime.open({ home }), { pid: process.pid })
    await runtime.close()
    await runtime.close()
    await rejects('ENGINE_CLOSED', runtime.create())
    await (await BoxRuntime.open({ home })).close()
  }))

test.run()
