import { type BoxState, snapshotsOf } from 'boxledger/machines'
import { crash, created, type Given, given, startFacts } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('machines: templates')

const template = { image: 'builtin', template: 'abcdefghijkl' }
const process = { pid: 4_711, startTime: '1', bootId: 'given', pidNamespace: 'given' }
const failure = { code: 'GUEST_UNREACHABLE', message: 'it did not' }
const restored: Given = { type: 'snapshot.restored', ...template, guest: 'stale' }
const failed: Given = { type: 'start.failed', ...failure }

/** A start that has got to the VMM's answer, and knows what it begins with. */
const warm: readonly Given[] = [
  created(),
  { type: 'start.requested' },
  { type: 'start.stage', stage: 'preparing' },
  { type: 'start.stage', stage: 'spawning', template },
  { type: 'vmm.spawned', process },
  { type: 'vmm.ready', version: 'v53.0' },
]
/** The same, one that boots. */
const cold: readonly Given[] = startFacts.slice(0, 4)

const of = ({ state }: { readonly state: BoxState }) => snapshotsOf(state.context)

test('a start that has a template is a restore, and is ready when the guest is set right', () => {
  const story = given(warm.slice(0, -1))
    .when(warm.at(-1) as Given)
    .then({ path: 'starting.restoring', effects: ['restoreVm'] })
  assert.equal(of(story).origin, template)
  story
    .when(restored)
    .then({ path: 'starting.waiting', effects: ['awaitGuest'] })
    .when({ type: 'guest.ready' })
    .then({ state: 'running' })
  story.when(crash).then({ state: 'crashed' })
  story.when({ type: 'start.requested' }).then({ state: 'starting' })
  assert.is(of(story).origin, null, 'the next start chooses anew')
  assert.is(of(story).boots, undefined)
})

test('one that has none says nothing of snapshots', () => {
  const story = given([created(), { type: 'start.requested' }, ...startFacts])
  assert.is(story.state.context.snapshots, undefined)
})

const inVain: Readonly<Record<string, readonly Given[]>> = {
  'the VMM refuses it': [failed],
  'the VMM is not done in time': [{ wait: 61_024 }],
  'the guest cannot be set right': [restored, failed],
  'the guest does not say that it is': [restored, { wait: 60_000 }],
}

for (const [name, happens] of Object.entries(inVain))
  test(`where ${name}, the same start goes on with a boot`, () => {
    const story = given([...warm, ...happens.slice(0, -1)])
    story.when(happens.at(-1) as Given).then({ path: 'stopping.killing', effects: ['killVmm'] })
    story.when(crash).then({ path: 'starting.queued', incarnation: 2, effects: ['queueStart'] })
    assert.equal([of(story).boots, of(story).origin], [true, null])
    for (const fact of cold.slice(0, -1)) story.tell(fact)
    story.when(cold.at(-1) as Given).then({ path: 'starting.creating' })
    for (const fact of startFacts.slice(4, -1)) story.tell(fact)
    story.when({ type: 'guest.ready' }).then({ state: 'running' })
    assert.is(story.state.context.restart.count, 0)
    story.when(crash).then({ state: 'crashed' })
    story.when({ type: 'start.requested' }).then({ state: 'starting' })
    assert.is(of(story).boots, undefined, 'and the next may have a template again')
  })

for (const [name, happens] of Object.entries({ 'reading it': [], 'it is set right': [restored] }))
  test(`so it does where the VMM ends while ${name}`, () => {
    const story = given([...warm, ...happens])
      .when(crash)
      .then({ path: 'starting.queued', incarnation: 2, effects: ['queueStart'] })
    assert.equal([of(story).boots, of(story).origin], [true, null])
  })

test('a boot that fails after it fails the start', () => {
  const story = given([...warm, failed, crash, ...cold])
  story.when(failed).then({ path: 'stopping.killing' })
  story.when(crash).then({ state: 'failed' })
})

test('a stop wins over the boot that was to come', () => {
  given([...warm, failed])
    .when({ type: 'stop.requested', mode: 'graceful' })
    .then({ path: 'stopping.killing' })
    .when(crash)
    .then({ state: 'stopped' })
  given([...warm, failed])
    .when({ type: 'remove.requested', force: true })
    .then({ state: 'removing' })
})

test('the guest of a template is never taken for the box: not after a look, and not where its VM was paused', () => {
  given([...warm, restored])
    .when({ type: 'vm.paused' })
    .then({ path: 'starting.waiting' })
    .when({ type: 'vmm.adopted', process, vm: 'paused' })
    .then({ path: 'starting.waiting' })
    .when({ type: 'box.unknown', reason: 'cannot look' })
    .then({ state: 'unknown' })
    .when({ type: 'vmm.adopted', process, vm: 'running' })
    .then({ path: 'stopping.killing' })
    .when(crash)
    .then({ path: 'starting.queued', incarnation: 2 })
  given([...warm, restored, { type: 'guest.ready' }, { type: 'box.unknown', reason: 'cannot look' }])
    .when({ type: 'vmm.adopted', process, vm: 'running' })
    .then({ state: 'running' })
})

test('a box that is there to make a template boots, and says what it makes', () => {
  const story = given([{ ...created(), makes: 'builtin' } as Given])
  assert.is(of(story).makes, 'builtin')
  story.when({ type: 'start.requested', boots: true }).then({ state: 'starting' })
  assert.equal([of(story).boots, of(story).makes], [true, 'builtin'])
})

test.run()
