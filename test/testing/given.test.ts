import { isRefusal, step } from 'boxledger/machines'
import { crash, created, given, running, startFacts } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('testing: given, when, then')

/** What a failed expectation says is different, by field. */
function differing(body: () => unknown): string[] {
  try {
    body()
  } catch (error) {
    assert.instance(error, Error)
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map(line => line.trim().split(':')[0] ?? '')
  }
  return []
}

test('a story of a box: what is decided after each event', () => {
  given(running({ restart: { policy: 'always', backoff: { initialMs: 500, jitter: 0 } } }))
    .when(crash)
    .then({
      state: 'crashed',
      path: 'crashed.scheduling',
      ending: { cause: 'crash' },
      restarts: true,
      effects: ['scheduleRestart'],
      timers: [],
    })
    .when({ type: 'restart.scheduled', delayMs: 500 })
    .then({ path: 'crashed.waiting', timers: [500] })
    .when({ wait: 499 })
    .then({ state: 'crashed', incarnation: 1 })
    .when({ wait: 1 })
    .then({ state: 'starting', incarnation: 2, ending: null, effects: ['queueStart'], restarts: false })
})

test('a stop beats the policy', () => {
  given(running({ restart: { policy: 'always' } }))
    .when({ type: 'stop.requested', mode: 'kill' })
    .then({ state: 'stopping', effects: ['killVmm'] })
    .when({ type: 'vmm.exited', spawned: true, last: 'none', noShutdown: true })
    .then({ state: 'stopped', ending: { cause: 'requested' }, restarts: false })
})

test('a refusal tells what would be accepted, and the story goes on where it was', () => {
  const story = given([created()])
    .when({ type: 'pause.requested' })
    .then({ state: 'configured', refused: true })
    .when({ type: 'pause.requested' })
    .then({ refused: ['start.requested', 'restart.requested', 'remove.requested', 'box.renamed'] })
    .when({ type: 'start.requested' })
    .then({ state: 'starting', refused: false })
  assert.is(story.state.context.incarnation, 1)
})

test('facts are those of the present incarnation, unless they say otherwise', () => {
  const again = given(running())
    .when(crash)
    .then({ state: 'crashed' })
    .when({ type: 'start.requested' })
    .then({ state: 'starting', incarnation: 2 })
  again
    .when({ type: 'vmm.exited', incarnation: 1, spawned: true, last: 'none', noShutdown: true })
    .then({ state: 'starting', effects: [], timers: [] })
  for (const fact of startFacts) again.tell(fact)
  again.when({ wait: 0 }).then({ state: 'running', incarnation: 2 })
})

test('a wait fires every deadline that it passes, in their order', () => {
  given(running({ stopTimeoutMs: 4_000 }))
    .when({ type: 'stop.requested', mode: 'graceful' })
    .then({ path: 'stopping.pressing', timers: [2_000] })
    .when({ wait: 4_000 })
    .then({ path: 'stopping.cutting' })
    .when({ wait: 10_000 + 5_000 + 5_000 + 5_000 })
    .then({ state: 'unknown', effects: ['lookAtVmm'] })
})

test('an expectation that is not met names every difference, and no other', () => {
  const story = given(running())
  const when = story.when({ type: 'pause.requested' })
  assert.equal(
    differing(() => when.then({ state: 'paused', path: 'running.pausing', effects: [], restarts: true })),
    ['state', 'effects', 'restarts'],
  )
  assert.equal(
    differing(() => when.then({ refused: true, timers: [1], incarnation: 2, ending: {} })),
    ['refused', 'timers', 'incarnation', 'ending'],
  )
  assert.equal(
    differing(() => given([created()]).when({ type: 'pause.requested' }).then({ refused: [] })),
    ['refused'],
  )
  const crashed = given(running()).when(crash)
  assert.equal(
    differing(() => crashed.then({ ending: { cause: 'external' } })),
    ['ending'],
  )
})

test('effects and commands may be named in any order', () => {
  given([created(), { type: 'start.requested' }])
    .when({ type: 'box.resolved', verdict: 'dead' })
    .then({ refused: ['box.renamed', 'remove.requested with force', 'stop.requested'] })
})

test('a story that cannot be told says why', () => {
  assert.throws(() => given([{ type: 'start.requested' }]), /begins with box.created/)
  assert.throws(() => given([]).when({ wait: 1 }), /begins with created/)
  assert.throws(
    () => given([created(), { type: 'pause.requested' }]),
    /configured and accepts start.requested/,
  )
  assert.throws(() => created({ cpus: 0 }), /cpus/)
})

test('a when that is awaited by mistake says so', async () => {
  const when: unknown = given(running()).when(crash)
  let message = 'nothing'
  try {
    await when
  } catch (error) {
    message = (error as Error).message
  }
  assert.match(message, /not to be awaited/)
})

test("another step than the machine's can be told a story", () => {
  /** Boxes of this step cannot be paused. */
  const stepWithoutPause: typeof step = (state, event, input) =>
    state !== undefined && event.type === 'pause.requested'
      ? { refused: true, state: 'running', accepts: [] }
      : step(state, event, input)
  const refused = (fold: typeof step) => {
    const { state } = given(running(), { step: fold })
    return isRefusal(fold(state, { type: 'pause.requested' }, { at: 0, version: 99 }))
  }
  given(running(), { step: stepWithoutPause }).when({ type: 'pause.requested' }).then({ refused: true })
  given(running()).when({ type: 'pause.requested' }).then({ refused: false })
  assert.equal([refused(stepWithoutPause), refused(step)], [true, false])
})

test.run()
