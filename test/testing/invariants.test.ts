// @timeout 300
import { type BoxState, step } from 'boxledger/machines'
import {
  type InvariantName,
  invariants,
  type Script,
  type SimulateOptions,
  Simulation,
  simulate,
} from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { RecordRules } from '../../src/testing/invariants/record-rules.ts'
import { suite } from '../support/suite.ts'
import { stepFrom, stepTo, telling, toldBy } from './faulty.ts'

const test = suite('testing: the invariants catch')

const withContext = (state: BoxState, context: Partial<BoxState['context']>): BoxState => ({
  ...state,
  context: { ...state.context, ...context },
})

interface Fault {
  readonly what: string
  readonly caught: InvariantName
  readonly options: Partial<SimulateOptions>
}

let impure = 0

/** Their VMMs fall silent, and come back. */
const silent: Script = () => ({ fates: [{ afterMs: 600_000, does: 'silence', forMs: 60_000 }] })

/** One thing done wrong each, where users can put things of their own. */
const faults: readonly Fault[] = [
  {
    what: 'a driver that makes every VMM twice',
    caught: 'one-vmm',
    options: {
      hands: telling(event =>
        event.type === 'effect' && event.effect.type === 'spawnVmm' ? [event, event] : [event],
      ),
    },
  },
  {
    what: 'a driver that does what nobody asked for',
    caught: 'intent-first',
    options: {
      hands: telling(event =>
        event.type === 'effect' && event.effect.type === 'pauseVm'
          ? [{ ...event, effect: { ...event.effect, id: 'none', type: 'killVmm' } }]
          : [event],
      ),
    },
  },
  {
    what: 'a step that asks for a kill out of `unknown`',
    caught: 'intent-first',
    options: {
      script: silent,
      step: stepTo(transition =>
        transition.to !== 'unknown'
          ? transition
          : {
              ...transition,
              effects: [
                ...transition.effects,
                { id: 'kill', type: 'killVmm', incarnation: transition.event.incarnation },
              ],
            },
      ),
    },
  },
  {
    what: 'a step that leaves out numbers of incarnations',
    caught: 'order',
    options: {
      step: stepFrom((state, event) =>
        event.type === 'start.requested'
          ? withContext(state, { incarnation: state.context.incarnation + 1 })
          : state,
      ),
    },
  },
  {
    what: 'a step that does not take the name',
    caught: 'names',
    options: {
      commandsPerHour: 60,
      step: stepTo((transition, event) =>
        event.type === 'box.renamed'
          ? { ...transition, state: withContext(transition.state, { name: null }) }
          : transition,
      ),
    },
  },
  {
    what: 'a step that forgets that a stop was asked for',
    caught: 'stop-wins',
    options: {
      step: stepFrom((state, event) =>
        event.type === 'vmm.exited' && state.context.stop?.cause === 'requested'
          ? withContext(state, { stop: null })
          : state,
      ),
    },
  },
  {
    what: 'a driver that says everything twice',
    caught: 'said-once',
    options: { hands: toldBy(fact => [fact, fact]) },
  },
  {
    what: 'hands that never come to an end of removing files',
    caught: 'answered',
    options: { hands: hands => ({ ...hands, removeFiles: () => new Promise(() => {}) }) },
  },
  {
    what: 'a driver that does not tell of a death',
    caught: 'agreement',
    options: { hands: toldBy(fact => (fact.type === 'vmm.exited' ? [] : [fact])) },
  },
  {
    what: 'a step that skips an intent: the look at what is unknown',
    caught: 'agreement',
    options: {
      script: silent,
      step: stepTo(transition =>
        transition.to === 'unknown'
          ? { ...transition, state: { ...transition.state, effects: {} } }
          : transition,
      ),
    },
  },
  {
    what: 'hands that leave the files of removed boxes',
    caught: 'nothing-left',
    options: { hands: hands => ({ ...hands, removeFiles: async () => {} }) },
  },
  {
    what: 'a driver that has something to say after each look',
    caught: 'second-recovery',
    options: {
      hands: toldBy(fact =>
        fact.type === 'vmm.adopted' ? [fact, { type: 'guest.ready', incarnation: fact.incarnation }] : [fact],
      ),
    },
  },
  {
    what: 'a step that remembers a snapshot by another name',
    caught: 'agreement',
    options: {
      step: stepTo((transition, event) => {
        const { snapshots } = transition.state.context
        return event.type !== 'snapshot.committed' || snapshots === undefined
          ? transition
          : {
              ...transition,
              state: withContext(transition.state, {
                snapshots: { ...snapshots, kept: snapshots.kept.map(kept => ({ ...kept, name: 'another' })) },
              }),
            }
      }),
    },
  },
  {
    what: 'a step that is not pure',
    caught: 'sound',
    options: {
      step: stepTo((transition, event) => {
        impure += 1
        return event.type === 'guest.ready'
          ? { ...transition, state: withContext(transition.state, { labels: { n: String(impure) } }) }
          : transition
      }),
    },
  },
  {
    what: 'whatever breaks a rule of the caller',
    caught: 'rule',
    options: { rule: ({ to }) => (to === 'paused' ? 'nobody is to be paused' : undefined) },
  },
]

for (const { what, caught, options } of faults)
  test(`${caught}: ${what}`, async () => {
    const { seed, violations, lines } = await simulate({ seed: 5, boxes: 6, hours: 4, checks: 1, ...options })
    assert.is(seed, 5)
    const found = violations.find(({ invariant }) => invariant === caught)
    assert.ok(found, `found instead: ${[...new Set(violations.map(({ invariant }) => invariant))]}`)
    assert.ok(lines(found.box).some(line => line.endsWith(`VIOLATION of ${caught}: ${found.message}`)))
  })

test('the same world without a fault has no violations', async () => {
  const { violations } = await simulate({ seed: 5, boxes: 6, hours: 4, checks: 1 })
  assert.equal(violations, [])
})

test('durable: a disk that forgets what it has acknowledged', async () => {
  let forgets = false
  await using world = await Simulation.open({
    seed: 1,
    flush: () => ({ writeMs: 0, answerMs: 0, outcome: forgets ? 'forgotten' : 'written' }),
  })
  const box = await world.runtime.create({ name: 'web' })
  forgets = true
  await world.runtime.rename(box.id, 'site')
  forgets = false
  assert.equal(
    world.violations.map(({ invariant }) => invariant),
    ['durable'],
  )
  world.crash()
  assert.is(await world.reopen().catch((error: Error) => error.name), 'BoxError')
  assert.is(world.violations.at(-1)?.invariant, 'durable')
})

test('command-once: a command that is recorded twice, which the ledger does not let happen', async () => {
  await using world = await Simulation.open({ seed: 1 })
  const box = await world.runtime.create({})
  await world.runtime.rename(box.id, 'web', { commandId: 'once' })
  await world.runtime.rename(box.id, 'site', { commandId: 'twice' })
  const broken: string[] = []
  const rules = new RecordRules(invariant => broken.push(invariant))
  for await (const record of world.runtime.events({ from: 1 }))
    rules.see({ ...record, meta: { ...record.meta, commandId: 'once' } })
  // The creation, and after it each rename, under one ID.
  assert.equal(broken, ['command-once', 'command-once'])
})

test("a step of one's own that keeps them all has no violations, though the machine's is another", async () => {
  /** Whatever its spec says, a box is not started again more than once in a row. */
  const once: typeof step = (state, event, input) => {
    if (state === undefined) return step(state, event, input)
    const spec = { ...state.context.spec, restart: { policy: 'always', maxRetries: 1 } } as const
    return step({ ...state, context: { ...state.context, spec } }, event, input)
  }
  let restarts = 0
  const { violations } = await simulate({
    ...{ seed: 5, boxes: 6, hours: 4, checks: 1, step: once, faults: { fates: 5 } },
    rule: (_, { state }) => {
      restarts = Math.max(restarts, state.context.restart.count)
      return state.context.restart.attempts > 1 ? 'started again twice in a row' : undefined
    },
  })
  assert.equal(violations, [])
  assert.ok(restarts > 0)
})

test('every invariant is caught by one of these', () => {
  const caught = new Set<string>([...faults.map(fault => fault.caught), 'durable', 'command-once'])
  assert.equal([...caught].sort(), Object.keys(invariants).sort())
})

test.run()
