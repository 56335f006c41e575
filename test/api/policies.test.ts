// @timeout 300
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxError, type BoxInfo, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('api: policies')
const image = smallGuest('idle')
const vmm = { binary: instantVmm }
const quick = { initialMs: 10, jitter: 0 }

const withRuntime = (use: (runtime: BoxRuntime, home: string) => Promise<void>) =>
  withTempDir(async home => {
    const runtime = await BoxRuntime.open({ home, vmm })
    try {
      await use(runtime, home)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
      assert.equal(vmmsOf(home), [])
    }
  })

const kill = (info: BoxInfo) => process.kill(info.pid as number, 'SIGKILL')
const runs = (incarnation: number) => (info: BoxInfo) =>
  info.state === 'running' && info.incarnation === incarnation

test('a crashed box comes back, as often as its policy says, and then stays down', () =>
  withRuntime(async runtime => {
    const box = await runtime.create({
      image,
      restart: { policy: 'on-failure', maxRetries: 2, backoff: quick },
    })
    await box.start()
    for (const incarnation of [1, 2]) {
      kill(await box.waitFor(runs(incarnation)))
      await box.waitFor(runs(incarnation + 1))
    }
    kill(await box.info())
    const info = await box.wait()
    assert.equal([info.state, info.restarts, info.restartAt], ['crashed', 2, undefined])
    const scheduled: unknown[] = []
    for await (const { event } of box.events({ types: ['restart.scheduled'] }))
      if (event.type === 'restart.scheduled') scheduled.push(event.delayMs)
    assert.equal(scheduled, [10, 20])
  }))

test('a stop beats a restart, whichever comes first', () =>
  withRuntime(async runtime => {
    const slow = { policy: 'always', backoff: { initialMs: 60_000, maxMs: 60_000 } } as const
    const box = await runtime.create({ image, restart: slow, stopTimeoutMs: 0 })
    await box.start()
    kill(await box.info())
    const waiting = await box.waitFor(info => info.restartAt !== undefined)
    assert.is(waiting.state, 'crashed')
    await box.stop()
    assert.is((await box.wait()).restartAt, undefined)
    await box.start()
    await Promise.allSettled([box.stop(), box.restart()])
    await box.stop()
    assert.is((await box.info()).state, 'stopped')
  }))

test('a stop beats a restart also where the box is going down by itself', () =>
  withRuntime(async runtime => {
    const restart = { policy: 'always', backoff: quick } as const
    const slow = { ...smallGuest('off'), cmdline: 'mode=off boxledger.fault=slow:vmm.shutdown,ms=700' }
    const box = await runtime.create({ image: slow, restart })
    box.start().catch(() => {}) // it ends by itself
    await box.waitFor(({ state }) => state === 'stopping')
    await box.stop()
    const { state, ending, incarnation, restartAt } = await box.info()
    assert.equal([state, ending?.cause, incarnation, restartAt], ['stopped', 'requested', 1, undefined])
  }))

test('a box that removes itself goes when a stop has called its restart off', () =>
  withRuntime(async runtime => {
    const restart = { policy: 'on-failure', backoff: { initialMs: 60_000, maxMs: 60_000 } } as const
    const box = await runtime.create({ image, autoRemove: true, restart })
    await box.start()
    kill(await box.info())
    await box.waitFor('busy')
    const error = await box.remove().catch(error => error)
    assert.ok(BoxError.is(error, 'INVALID_STATE'), String(error))
    await box.stop()
    await eventually(async () => !(await runtime.exists(box.id)))
  }))

test('a restart that is due outlives the engine', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm })
    const box = await first.create({
      name: 'it',
      image,
      restart: { policy: 'always', backoff: { initialMs: 300, jitter: 0 } },
    })
    await box.start()
    kill(await box.info())
    await box.waitFor(info => info.restartAt !== undefined)
    await first.close()
    await using second = await BoxRuntime.open({ home, vmm })
    const again = await second.get('it')
    await again?.waitFor(runs(2), { timeoutMs: 20_000 })
    await second.remove('it', { force: true })
  }))

test('autoRemove leaves nothing on disk but the ledger, whatever the cause', () =>
  withRuntime(async (runtime, home) => {
    for (const end of ['stop', 'crash', 'off', 'failed'] as const) {
      const box = await runtime.create({
        image: end === 'failed' ? { kernel: '/nowhere' } : smallGuest(end === 'off' ? 'off' : 'idle'),
        autoRemove: true,
        stopTimeoutMs: 0,
      })
      await box.start().catch(error => assert.ok(BoxError.is(error, 'BOOT_FAILED')))
      if (end === 'stop') await box.stop()
      if (end === 'crash') kill(await box.info())
      const info = await box.waitFor('gone')
      assert.ok(info.ending, end)
      assert.not.ok(existsSync(join(home, 'boxes', box.id)), end)
      assert.not.ok(await runtime.exists(box.id))
    }
    assert.equal(readdirSync(join(home, 'boxes')), [])
    const error = await runtime
      .create({ autoRemove: true, restart: { policy: 'always' } })
      .catch(error => error)
    assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'))
  }))

test('a box that is not detached goes with close, in time; a detached one stays', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm })
    const goes = await first.create({ name: 'goes', image, detach: false })
    const stays = await first.create({ name: 'stays', image })
    await Promise.all([goes.start(), stays.start()])
    const began = performance.now()
    await first.close()
    assert.ok(performance.now() - began < 6_000)
    assert.equal(
      vmmsOf(home).map(({ box }) => box),
      [stays.id],
    )
    await using second = await BoxRuntime.open({ home, vmm })
    const info = await second.getInfo('goes')
    assert.equal([info?.state, info?.ending?.cause], ['stopped', 'requested'])
    assert.match(info?.ending?.message ?? '', /owner/)
    await second.remove('stays', { force: true })
  }))

test('a box that is not detached ends with its owner also under SIGKILL', () =>
  withTempDir(async home => {
    const script = fileURLToPath(new URL('./attached-owner.js', import.meta.url))
    const child = spawn(process.execPath, [script, home], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    assert.is(vmmsOf(home).length, 1)
    child.kill('SIGKILL')
    await ended
    await eventually(() => vmmsOf(home).length === 0)
    const runtime = await BoxRuntime.open({ home, vmm })
    const box = await runtime.get('goes')
    const info = await box?.waitFor('down', { timeoutMs: 20_000 })
    assert.equal([info?.state, info?.ending?.cause], ['stopped', 'requested'])
    assert.match(info?.ending?.message ?? '', /owner/)
    await runtime.close()
  }))

test('200 boxes started by one call are all up, and every ending is told', () =>
  withRuntime(async (runtime, home) => {
    const boxes = await Promise.all(
      Array.from({ length: 200 }, () => runtime.create({ image, stopTimeoutMs: 0 })),
    )
    await Promise.all(boxes.map(box => box.start()))
    assert.is(vmmsOf(home).length, boxes.length)
    const killed = boxes.filter((_, n) => n % 2 === 0)
    for (const box of killed) kill(await box.info())
    for (const box of killed) assert.is((await box.wait()).ending?.cause, 'crash')
    assert.is((await runtime.listInfo({ states: ['running'] })).length, boxes.length - killed.length)
  }))

test.run()
