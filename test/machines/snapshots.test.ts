import { type BoxState, snapshotsOf } from 'boxledger/machines'
import { crash, created, type Given, given, running, startFacts } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('machines: snapshots')

const failure = { code: 'NO_SPACE', message: 'there is none' }
const process = { pid: 4_711, startTime: '1', bootId: 'given', pidNamespace: 'given' }
const ask: Given = { type: 'snapshot.requested', name: 'one' }
const paused: Given = { type: 'vm.paused' }
const resumed: Given = { type: 'vm.resumed' }
const written: Given = { type: 'snapshot.written', name: 'one' }
const committed: Given = { type: 'snapshot.committed', name: 'one', bytes: 7, vmm: 'v53.0' }
const saved: readonly Given[] = [...running(), ask, paused, written, resumed, committed]

const of = ({ state }: { readonly state: BoxState }) => snapshotsOf(state.context)

test('a box that runs is saved step by step, and is one that runs all the time', () => {
  const story = given(running())
    .when(ask)
    .then({ state: 'running', path: 'running.saving', effects: ['saveVm'] })
  assert.is(of(story).saving?.version, running().length + 1)
  story.when(paused).then({ path: 'running.saving', effects: [] })
  story.when(ask).then({ refused: true })
  story.when(written).then({ path: 'running.releasing', effects: ['releaseVm'] })
  story.when(resumed).then({ path: 'running.committing', effects: ['commitSnapshot'] })
  story.when(committed).then({ path: 'running.steady', effects: [] })
  assert.is(of(story).saving, null)
  const [kept] = of(story).kept
  assert.is(kept?.name, 'one')
  assert.is(kept?.version, running().length + 1)
  assert.is(kept?.bytes, 7)
})

test('a box that is paused is saved as it is, and stays so', () => {
  given([...running(), { type: 'pause.requested' }, paused])
    .when(ask)
    .then({ state: 'paused', path: 'paused.saving', effects: ['saveVm'] })
    .when(written)
    .then({ path: 'paused.committing', effects: ['commitSnapshot'] })
    .when(committed)
    .then({ path: 'paused.held' })
})

test('whatever becomes of a snapshot, the VM is to run again', () => {
  const begun = [...running(), ask, paused]
  given(begun)
    .when({ type: 'snapshot.failed', name: 'one', ...failure })
    .then({ path: 'running.releasing', effects: ['releaseVm'] })
    .when(resumed)
    .then({ path: 'running.steady' })
  given(begun)
    .when({ wait: 61_024 })
    .then({ path: 'running.releasing', effects: ['releaseVm'] })
    .when({ wait: 30_000 })
    .then({ state: 'unknown', effects: ['lookAtVmm'] })
    .when({ type: 'vmm.adopted', process, vm: 'paused' })
    .then({ path: 'running.releasing', effects: ['releaseVm'] })
  const lost = given(begun)
    .when({ type: 'box.unknown', reason: 'cannot look' })
    .then({ state: 'unknown' })
    .when({ type: 'vmm.adopted', process, vm: 'paused' })
    .then({ path: 'running.releasing', effects: ['releaseVm'] })
    .when(resumed)
    .then({ path: 'running.steady' })
  assert.is(of(lost).saving, null)
  given(begun)
    .when({ type: 'vmm.adopted', process, vm: 'paused' })
    .then({ path: 'running.saving', effects: [] })
})

test('a VM that cannot be let go is paused, and what is written is kept', () => {
  given([...running(), ask, paused, written])
    .when({ type: 'resume.failed', ...failure })
    .then({ state: 'paused', path: 'paused.committing', effects: ['commitSnapshot'] })
    .when(committed)
    .then({ path: 'paused.held' })
})

test('what ends a box ends a snapshot', () => {
  for (const [end, state] of [
    [{ type: 'stop.requested', mode: 'kill' }, 'stopping'],
    [crash, 'crashed'],
    [{ type: 'guest.powered-off' }, 'stopping'],
  ] as const)
    given([...running(), ask, paused])
      .when(end)
      .then({ state })
  const story = given([...running(), ask, paused])
    .when(crash)
    .then({ state: 'crashed' })
  assert.is(of(story).saving, null)
})

test('names are taken once, and snapshots removed one by one, whatever the box does', () => {
  const story = given(saved).when(ask).then({ refused: true })
  story.when({ type: 'snapshot.removal.requested', name: 'other' }).then({ refused: true })
  story
    .when({ type: 'snapshot.removal.requested', name: 'one' })
    .then({ path: 'running.steady', refused: false })
  assert.is(of(story).kept[0]?.leaving, true)
  story.when({ type: 'snapshot.removal.requested', name: 'one' }).then({ refused: true })
  story.when({ type: 'snapshot.removal.failed', name: 'one', ...failure }).then({ state: 'running' })
  assert.is(of(story).kept[0]?.leaving, undefined)
  story.when({ type: 'snapshot.removal.requested', name: 'one' }).then({ refused: false })
  story.when(crash).then({ state: 'crashed' })
  story.when({ type: 'snapshot.removed', name: 'one', incarnation: 0 }).then({ state: 'crashed' })
  assert.equal(of(story).kept, [])
})

test('a start from a snapshot is a start without a boot', () => {
  const down = [...saved, crash]
  given(down).when({ type: 'start.requested', snapshot: 'none' }).then({ refused: true })
  const story = given(down)
    .when({ type: 'start.requested', snapshot: 'one' })
    .then({ state: 'starting', incarnation: 2 })
  for (const fact of startFacts.slice(0, 3)) story.tell(fact)
  story
    .when({ type: 'vmm.ready', version: 'v53.0' })
    .then({ path: 'starting.restoring', effects: ['restoreVm'] })
  story.when({ type: 'snapshot.removal.requested', name: 'one' }).then({ refused: true })
  story.tell(resumed)
  const origin = { box: 'abcdefghijkl', name: 'one' }
  story
    .when({ type: 'snapshot.restored', ...origin, guest: 'stale' })
    .then({ path: 'starting.waiting', effects: ['awaitGuest'] })
    .when({ type: 'guest.ready' })
    .then({ state: 'running' })
    .when(crash)
    .then({ state: 'crashed' })
    .when({ type: 'start.requested' })
    .then({ state: 'starting', incarnation: 3 })
  assert.is(of(story).origin, null, 'the next start is a boot')
})

test('a restore that is lost sight of has failed', () => {
  const story = given([...saved, crash])
    .when({ type: 'start.requested', snapshot: 'one' })
    .then({ state: 'starting' })
  for (const fact of startFacts.slice(0, 4)) story.tell(fact)
  story
    .when({ type: 'box.unknown', reason: 'cannot look' })
    .then({ state: 'unknown' })
    .when({ type: 'vmm.adopted', process, vm: 'paused' })
    .then({ state: 'stopping', effects: ['killVmm'] })
})

test('a clone begins with the snapshot that it is made of, once', () => {
  const origin = { box: 'zyxwvutsrqpo', name: 'one' }
  const story = given([{ ...created(), origin } as Given])
    .when({ type: 'start.requested' })
    .then({ state: 'starting', incarnation: 1 })
  assert.equal(of(story).origin, origin)
  for (const fact of startFacts.slice(0, 3)) story.tell(fact)
  story.when({ type: 'vmm.ready', version: 'v53.0' }).then({ path: 'starting.restoring' })
  story.when({ type: 'stop.requested', mode: 'kill' }).then({ state: 'stopping' })
  story.when(crash).then({ state: 'stopped' })
  story.when({ type: 'start.requested' }).then({ state: 'starting', incarnation: 2 })
  assert.is(of(story).origin, null)
})

test.run()
