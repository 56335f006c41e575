import { seeded, VirtualClock } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { createActor, createMachine } from 'xstate'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'

const test = suite('testing: the virtual clock')

/** A clock, and a note of what has fired. */
function noted() {
  const clock = new VirtualClock(0)
  const fired: string[] = []
  const set = (name: string, ms: number) => clock.setTimeout(() => fired.push(name), ms)
  return { clock, fired, set }
}

test('time passes when told, and not otherwise', async () => {
  const { clock, fired, set } = noted()
  set('a', 100)
  await new Promise(resolve => setTimeout(resolve, 2))
  assert.equal([clock.now(), clock.monotonic(), clock.next, fired], [0, 0, 100, []])
  await clock.advance(99)
  assert.equal([clock.now(), clock.monotonic(), clock.next, fired], [99, 99, 1, []])
  await clock.advance(1)
  assert.equal([clock.now(), clock.monotonic(), clock.next, fired], [100, 100, undefined, ['a']])
})

test('it begins at a time that nobody takes for today, or where it is told to', () => {
  assert.is(new Date(new VirtualClock().now()).toISOString(), '2040-01-01T00:00:00.000Z')
  assert.is(new VirtualClock(1_000).now(), 1_000)
})

test('timers fire by time, those of one moment in the order in which they were set', async () => {
  const { clock, fired, set } = noted()
  set('late', 20)
  set('first', 10)
  set('second', 10)
  set('part of a ms', 9.2)
  set('past', -5)
  await clock.advance(20)
  assert.equal(fired, ['past', 'first', 'second', 'part of a ms', 'late'])
})

test('however many there are, set and cleared in any order', async () => {
  const random = seeded(takeSeed())
  const { clock, fired, set } = noted()
  const expected: { readonly at: number; readonly name: string; readonly handle: unknown }[] = []
  for (let n = 0; n < 2_000; n += 1) {
    const at = random.below(500)
    expected.push({ at, name: String(n), handle: set(String(n), at) })
  }
  const kept = expected.filter(({ handle }) => {
    const isKept = random.chance(0.7)
    if (!isKept) clock.clearTimeout(handle)
    return isKept
  })
  await clock.advance(500)
  assert.equal(
    fired,
    kept.sort((a, b) => a.at - b.at).map(({ name }) => name),
  )
  assert.is(clock.pending, 0)
})

test('everything that a timer sets off has run before the next one fires', async () => {
  const { clock, fired, set } = noted()
  clock.setTimeout(async () => {
    for (let n = 0; n < 50; n += 1) await Promise.resolve()
    fired.push('after 50 turns')
    set('set within', 0)
  }, 10)
  set('next', 10)
  await clock.advance(10)
  assert.equal(fired, ['after 50 turns', 'next', 'set within'])
})

test('a step goes to the next timer, whenever that is; without one it goes nowhere', async () => {
  const { clock, fired, set } = noted()
  set('in a week', 604_800_000)
  assert.is(await clock.step(), true)
  assert.equal([fired, clock.monotonic()], [['in a week'], 604_800_000])
  assert.is(await clock.step(), false)
  assert.is(clock.monotonic(), 604_800_000)
})

test('a cleared timer does not fire, whoever clears it and when', async () => {
  const { clock, fired, set } = noted()
  const later = set('later', 20)
  const handle = clock.setTimeout(() => clock.clearTimeout(later), 10)
  assert.is(clock.pending, 2)
  await clock.advance(30)
  assert.equal([fired, clock.pending, clock.next], [[], 0, undefined])
  // Of one that has fired, and of what is none, as with Node's own.
  clock.clearTimeout(handle)
  clock.clearTimeout(undefined)
  assert.is(clock.pending, 0)
})

test('setting the time of day moves the time of day, and no wait', async () => {
  const { clock, fired, set } = noted()
  set('a', 100)
  clock.setBy(-3_600_000)
  assert.equal([clock.now(), clock.monotonic(), clock.next], [-3_600_000, 0, 100])
  await clock.advance(100)
  assert.equal(fired, ['a'])
})

test("it serves XState's own actors", async () => {
  const clock = new VirtualClock()
  const machine = createMachine({
    initial: 'waiting',
    states: { waiting: { after: { 3600000: 'done' } }, done: {} },
  })
  const actor = createActor(machine, { clock }).start()
  await clock.advance(3_599_999)
  assert.is(actor.getSnapshot().value, 'waiting')
  await clock.advance(1)
  assert.is(actor.getSnapshot().value, 'done')
})

test.run()
