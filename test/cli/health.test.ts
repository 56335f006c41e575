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

test.run()
