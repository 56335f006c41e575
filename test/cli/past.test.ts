import type { BoxInfo } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { guest, withShell } from './boxledger.ts'

const test = suite('command: the past')

test('show takes a time as log prints it', () =>
  withShell(async ({ ok, json }) => {
    await ok('create', '--name', 'it', ...guest('idle'))
    await ok('rename', 'it', 'other')
    const [, at = ''] = /^ +1 +(\S+ \S+Z) /m.exec(await ok('log', 'other')) ?? []
    assert.match(at, /^\d{4}-\d{2}-\d{2} /)
    assert.is((await json<BoxInfo>('show', 'other', '--at', at)).name, 'it')
  }))

test('fork tells of invented events that have nothing but their type', () =>
  withShell(async ({ ok, run }) => {
    await ok('create', '--name', 'it', ...guest('idle'))
    const types = [
      'box.created',
      'incarnation.found',
      'start.requested',
      'vmm.ready',
      'timer.fired',
      'start.stage',
    ]
    const events = [
      ...types,
      'health.changed',
      'snapshot.committed',
      'stop.rung',
      '{"type":"vmm.exited","signal":"SIGKILL"}',
    ]
    const { code, stdout, stderr } = await run(
      'fork',
      'it',
      '--at',
      '1',
      ...events.flatMap(event => ['--event', event]),
    )
    assert.equal([code, stderr], [0, ''])
    for (const type of types) assert.match(stdout, new RegExp(`${type}[,:] `))
    assert.match(stdout, /: vmm\.exited SIGKILL, starting -> /)
    assert.not.match(stdout, 'undefined')
  }))

test.run()
