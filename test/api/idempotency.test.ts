import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('api: the same command twice')
const image = smallGuest('idle')
const vmm = { binary: instantVmm }

test('is done once, with the same result, also by the next owner and after more has happened', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm })
    const box = await first.create({ name: 'it', image, stopTimeoutMs: 0 }, { commandId: 'create' })
    assert.is((await first.create({ name: 'it', image }, { commandId: 'create' })).id, box.id)
    await Promise.all([box.start({ commandId: 'start' }), box.start({ commandId: 'start' })])
    await box.pause({ commandId: 'pause' })
    await box.resume({ commandId: 'resume' })
    await box.pause({ commandId: 'pause' })
    assert.is((await box.info()).state, 'running', 'the second pause was the first')
    await box.stop({ commandId: 'stop' })
    await box.start({ commandId: 'start' })
    assert.is((await box.info()).state, 'stopped', 'the second start was the first')
    await box.start({ commandId: 'start again' })
    await box.stop({ commandId: 'stop' })
    assert.is((await box.info()).state, 'running', 'the second stop was the first')
    await box.restart({ commandId: 'restart' })
    await box.restart({ commandId: 'restart' })
    assert.is((await box.info()).incarnation, 3)
    const { version } = await box.info()
    await first.close()

    await using second = await BoxRuntime.open({ home, vmm })
    const again = await second.get('it')
    await again?.restart({ commandId: 'restart' })
    await again?.stop({ commandId: 'stop' })
    assert.is((await again?.info())?.version, version)
    await second.rename('it', 'other', { commandId: 'rename' })
    await second.remove('other', { force: true, commandId: 'remove' })
    await second.remove('other', { force: true, commandId: 'remove' })
    await again?.remove({ force: true, commandId: 'remove' })
    assert.equal(await second.listInfo(), [])
  }))

test('a start that failed fails again under its ID, without a second attempt', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ image: { kernel: '/nowhere' } })
    const start = () =>
      box.start({ commandId: 'start' }).then(
        () => undefined,
        error => error,
      )
    assert.ok(BoxError.is(await start(), 'BOOT_FAILED'))
    assert.ok(BoxError.is(await start(), 'BOOT_FAILED'))
    assert.is((await box.info()).incarnation, 1)
    await box.remove()
  }))

test('an ID is that of one command to one box: another is refused, and does nothing', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ name: 'it', image, stopTimeoutMs: 0 }, { commandId: 'create' })
    const other = await runtime.create({ name: 'other', image })
    await box.start({ commandId: 'start' })
    const wrong = [
      () => other.start({ commandId: 'start' }),
      () => box.stop({ commandId: 'start' }),
      () => runtime.create({ image }, { commandId: 'start' }),
      () => runtime.rename('it', 'new', { commandId: 'create' }),
      () => runtime.remove('other', { commandId: 'start' }),
    ]
    for (const work of wrong) {
      const error = await work().then(
        () => undefined,
        error => error,
      )
      assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), String(error))
      assert.is(error.details.field, 'commandId')
    }
    assert.equal(
      (await runtime.listInfo()).map(({ name, state }) => [name, state]),
      [
        ['other', 'configured'],
        ['it', 'running'],
      ],
    )
    await box.remove({ force: true })
  }))

test('a start that was aborted was so under its ID', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ image, ready: { console: 'never said' } })
    const start = () =>
      box.start({ commandId: 'start' }).then(
        () => undefined,
        error => error,
      )
    const first = start()
    await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 20_000 })
    await box.stop({ mode: 'kill' })
    assert.ok(BoxError.is(await first, 'ABORTED'))
    assert.ok(BoxError.is(await start(), 'ABORTED'))
    await box.remove()
  }))

test('expectedVersion is held against the version that is there', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.create({ name: 'it' })
    const error = await runtime.rename('it', 'other', { expectedVersion: 2 }).catch(error => error)
    assert.ok(BoxError.is(error, 'WRONG_EXPECTED_VERSION'))
    assert.equal(error.details, { expected: 2, actual: 1 })
    await runtime.rename('it', 'other', { expectedVersion: 1, actor: 'tester', commandId: 'c' })
    const records = []
    for await (const record of box.events()) records.push(record)
    assert.equal([records[1]?.meta.actor, records[1]?.meta.commandId], ['tester', 'c'])
  }))

test.run()
