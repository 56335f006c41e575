import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { plantImage } from './stand-in-image.ts'

const test = suite('examples: a live inspection')
const program = fileURLToPath(new URL('../../examples/inspect.js', import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

const ofType = <T extends StatelyInspectionEvent['type']>(events: StatelyInspectionEvent[], type: T) =>
  events.filter((event): event is Extract<StatelyInspectionEvent, { type: T }> => event.type === type)

test('an inspector that connects gets the actors of the box and of its driver, its events and its states', () =>
  withTempDir(async home => {
    await plantImage(home)
    const port = await freePort()
    const child = spawn(process.execPath, [program], {
      env: {
        ...process.env,
        BOXLEDGER_HOME: home,
        BOXLEDGER_VMM: instantVmm.map(word => `'${word}'`).join(' '),
        PORT: String(port),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      let printed = ''
      child.stdout.on('data', text => {
        printed += text
      })
      const ended = once(child, 'exit')
      await eventually(() => printed.includes(`open http://localhost:${port}`), { timeoutMs: 20_000 })
      const events: StatelyInspectionEvent[] = []
      createWebSocketReceiver({ server: `ws://localhost:${port}` }).subscribe(event => events.push(event))
      child.stdin.write('\n')
      const values = () => ofType(events, '@xstate.snapshot').map(({ snapshot }) => JSON.stringify(snapshot))
      await eventually(() => values().some(value => value.includes('"value":"removed"')), {
        timeoutMs: 20_000,
      })
      await eventually(() => printed.includes('look around'), { timeoutMs: 20_000 })
      child.stdin.end('\n')
      assert.equal(await ended, [0, null])

      const actors = ofType(events, '@xstate.actor')
      const box = actors.find(({ name }) => name.startsWith('box/'))
      const driver = actors.find(({ name }) => /^vmm\/\w+\/1$/.test(name))
      assert.ok(box && driver, actors.map(({ name }) => name).join())
      const { id, states } = JSON.parse(box.definition ?? '') as { id: string; states: object }
      assert.ok(id && 'running' in states, 'the machine can be drawn')
      const told = ofType(events, '@xstate.event').filter(({ sessionId }) => sessionId === box.sessionId)
      const types = told.map(({ event }) => (event as { type: string }).type)
      for (const type of ['start.requested', 'vmm.spawned', 'vm.booted', 'stop.requested', 'box.removed'])
        assert.ok(types.includes(type), `${type} of ${types}`)
      for (const state of ['starting', 'running', 'stopping', 'stopped', 'removed'])
        assert.ok(printed.includes(state) && values().some(value => value.includes(`"${state}"`)), state)
    } finally {
      child.kill('SIGKILL')
    }
    assert.equal(vmmsOf(home), [])
  }))

test.run()
