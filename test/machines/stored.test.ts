import {
  accepts,
  type BoxEvent,
  type BoxState,
  type Head,
  isBody,
  isBoxState,
  isHead,
  isRefusal,
  pathOf,
  publicStateOf,
  snapshotOf,
  step,
} from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { mutated } from '../support/mutate.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { alphabet, created } from './alphabet.ts'

const test = suite('machines: states and records as stored')
const random = makeRandom(takeSeed())

/** What a user can ask for, with everything in it. */
const full = {
  ...created,
  labels: { team: 'a', __proto: 'x' },
  spec: {
    ...created.spec,
    image: {
      kernel: '/k',
      initramfs: '/i',
      cmdline: 'x',
      disks: [{ path: '/d', format: 'raw', readonly: true }],
    },
    command: ['run', 'it'],
    env: { A: 'b', TOKEN: { secret: 'token' } },
    workdir: '/',
    user: 'root',
    disks: [{ path: '/e' }],
    restart: {
      policy: 'on-failure',
      maxRetries: 3,
      backoff: { initialMs: 1, factor: 1.5, maxMs: 10, jitter: 0.5, resetAfterMs: 7 },
    },
    ready: { console: '^x$' },
    health: { command: ['true'], intervalMs: 1_000, timeoutMs: 10, retries: 3, startPeriodMs: 0 },
  },
} as const satisfies BoxEvent

/** Heads and bodies of a life that events picked at random make. */
const life = (): { heads: Head[]; bodies: object[] } => {
  const heads: Head[] = []
  const bodies: object[] = []
  let state: BoxState | undefined
  for (let version = 1; version < 30; version++) {
    const known = state?.context.incarnation ?? 0
    const timer = random.pick(Object.keys(state?.timers ?? {}).concat('none'))
    const picked: BoxEvent =
      version === 1
        ? random.pick([created, full])
        : random.pick([...alphabet, { type: 'timer.fired', timer, incarnation: known }] as BoxEvent[])
    const event =
      'incarnation' in picked && picked.type !== 'incarnation.found'
        ? { ...picked, incarnation: known }
        : picked
    const at = 1_000 * version
    const outcome = step(state, event, { at, version })
    if (isRefusal(outcome)) continue
    state = outcome.state
    const { from, to, effects, timers } = outcome
    const hash = 'a'.repeat(64)
    const meta = { bootId: 'boot', epoch: 1, engine: 'test/0' }
    const stored = { box: created.id, version, prevBody: hash, at: new Date(at).toISOString() }
    bodies.push({ ...stored, event: outcome.event, from, to, effects, timers, meta })
    heads.push({
      box: created.id,
      version,
      position: version,
      createdPosition: 1,
      updatedAt: at,
      lastEvent: event.type,
      bodyHash: hash,
      state,
    })
  }
  return { heads, bodies }
}

const stored = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

test('whatever a life comes to is known again', () => {
  for (let n = 0; n < sized(100, 5_000); n++) {
    const { heads, bodies } = life()
    for (const head of heads) assert.ok(isHead(stored(head)), JSON.stringify(head))
    for (const body of bodies) assert.ok(isBody(stored(body)), JSON.stringify(body))
  }
})

test('what is let through, the machine can be asked about, whatever else it holds', () => {
  const counts = { refused: 0, taken: 0 }
  for (let n = 0; n < sized(100, 5_000); n++) {
    const { heads } = life()
    for (let m = 0; m < 10; m++) {
      const state = stored(mutated(stored(random.pick(heads).state), random))
      if (!isBoxState(state)) {
        counts.refused++
        continue
      }
      counts.taken++
      assert.type(pathOf(state.value), 'string')
      assert.type(publicStateOf(state.value), 'string')
      assert.ok(Array.isArray(accepts(state)))
      assert.ok(snapshotOf(state).can !== undefined)
      for (const event of alphabet) {
        const { incarnation } = state.context
        step(state, { ...event, incarnation } as BoxEvent, { at: 2_000, version: 99 })
      }
      for (const timer of Object.keys(state.timers))
        step(
          state,
          { type: 'timer.fired', timer, incarnation: state.context.incarnation },
          { at: 2_000, version: 99 },
        )
    }
  }
  assert.ok(counts.refused > counts.taken && counts.taken > 50, JSON.stringify(counts))
  assert.not(isPolluted())
})

test('what is no state, head or body of any kind is refused without a word', () => {
  const values = [undefined, null, 0, '', [], {}, () => {}, new Map(), Object.create(null)]
  for (const value of values)
    assert.equal([isHead(value), isBody(value), isBoxState(value)], [false, false, false])
  const deep = JSON.parse(`${'{"starting":'.repeat(5_000)}"x"${'}'.repeat(5_000)}`)
  assert.not(isBoxState({ ...life().heads[0]?.state, value: deep }))
  for (const value of ['__proto__', 'constructor', 'toString', { running: '__proto__' }, { __proto__: null }])
    assert.not(isBoxState({ ...life().heads[0]?.state, value }))
})

test.run()
