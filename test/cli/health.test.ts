// @timeout 60
import { join } from 'node:path'
import { type BoxInfo, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { shellOn } from './boxledger.ts'

const test = suite('command: health')

test('ls, inspect and log show it, of boxes that are asked', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const { ok, json } = shellOn(home)
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const image = smallGuest('idle')
    const asked = await runtime.create({ name: 'asked', image, health: { command: 'ping' } })
    const other = await runtime.create({ name: 'other', image })
    await Promise.all([asked.start(), other.start()])
    await asked.waitFor(info => info.health === 'healthy')
    const table = await ok('ls')
    assert.match(table, /asked +running \(healthy\) /)
    assert.match(table, /other +running +/)
    const [first, second] = await json<BoxInfo[]>('inspect', 'asked', 'other')
    assert.equal([first?.health, second?.health], ['healthy', undefined])
    assert.match(await ok('log', 'asked', '--type', 'health.changed'), /health\.changed.*healthy/)
    await Promise.all([asked, other].map(box => box.stop({ mode: 'kill' })))
    assert.match(await ok('ls', '-a'), /asked +stopped \(requested\) /)
  }))

test("flags in docker's words", () =>
  withTempDir(async dir => {
    const { ok, run, info } = shellOn(join(dir, 'home'))
    const durations = [
      '--health-interval',
      '1m30s',
      '--health-timeout',
      '500ms',
      '--health-start-period',
      '0.5h',
    ]
    await ok('create', '--name', 'a', '--health-cmd', 'test -f /ok', ...durations, '--health-retries', '5')
    assert.equal((await info('a')).spec.health, {
      command: ['sh', '-c', 'test -f /ok'],
      intervalMs: 90_000,
      timeoutMs: 500,
      retries: 5,
      startPeriodMs: 1_800_000,
    })
    await ok('create', '--name', 'b', '--health-ping')
    const asked = { intervalMs: 30_000, timeoutMs: 10_000, retries: 3, startPeriodMs: 0 }
    assert.equal((await info('b')).spec.health, { command: 'ping', ...asked })
    for (const wrong of [
      ['--health-interval', '1m'],
      ['--health-ping', '--health-cmd', 'true'],
      ...['30', '1x', 's', '-1s', '1s30', ''].map(time => ['--health-ping', '--health-timeout', time]),
      ['--health-ping', '--health-interval', '1ms'],
      ['--health-ping', '--health-retries', '0'],
    ])
      assert.is((await run('create', ...wrong)).code, 2, wrong.join(' '))
    assert.is((await ok('ls', '-aq')).split('\n').length, 2)
  }))

test.run()
