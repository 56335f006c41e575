import { BoxError, type LedgerRecord } from 'boxledger'
import { replay, type StreamState } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { tellStory } from '../../../src/api/story/tell.ts'
import { stateAt } from '../../../src/viewer/state-at.ts'
import { suite } from '../../support/suite.ts'
import { crashStory } from './crash-story.ts'

const test = suite('api: the story of a box')
let records: readonly LedgerRecord[] = []

test.before(async () => {
  records = await crashStory()
})

async function* each(of: readonly LedgerRecord[], end?: Error): AsyncGenerator<LedgerRecord> {
  yield* of
  if (end !== undefined) throw end
}

const tell = (of: readonly LedgerRecord[], end?: Error) =>
  tellStory(each(of, end), { box: 'asked-for', words: event => `<${event.type}>`, now: 1234 })

test('has every record as a step, with its stages, its differences and who asked for it', async () => {
  const story = await tell(records)
  assert.is(story.id, records[0]?.box)
  assert.equal([story.name, story.toldAt, story.damage, story.unfolded], ['shop', 1234, undefined, undefined])
  assert.equal(story.spec.slice(1), ['1 CPU', '256 MiB', 'restart on-failure'])
  assert.equal(
    story.steps.map(({ position, version, hash }) => [position, version, hash]),
    records.map(({ position, version, hash }) => [position, version, hash]),
  )
  const [created, asked] = story.steps
  assert.equal([created?.from, created?.to, created?.words], ['', 'configured', '<box.created>'])
  assert.equal([asked?.to, asked?.actor], ['starting.queued', 'ann'])
  const labels = created?.differences.find(({ path }) => path.join('.') === 'labels')
  assert.equal(labels, { path: ['labels'], after: { team: 'blue' } })
  const renamed = story.steps.find(({ event }) => event.type === 'box.renamed')
  assert.equal(renamed?.differences, [{ path: ['name'], before: 'web', after: 'shop' }])
  const spawning = story.steps.filter(({ to }) => to === 'starting.spawning')
  assert.is(spawning.length, 3)
  assert.equal(spawning[0]?.differences, [
    { path: ['effects', 'prepareFiles'], before: '3.0' },
    { path: ['effects', 'spawnVmm'], after: '4.0' },
  ])
})

test('its steps follow one another: each begins where the one before it has ended', async () => {
  const { steps } = await tell(records)
  const ends = new Map<string, string>()
  for (const { execution = '', from, to, position, cause } of steps) {
    assert.is(from, ends.get(execution) ?? '')
    ends.set(execution, to)
    if (cause !== undefined) assert.ok(cause < position)
  }
  assert.equal([...ends.values()], ['stopped.resting', 'ended', 'ended'])
})

test('its differences, one on the other, are the states that the machine comes to', async () => {
  const { steps } = await tell(records)
  const states = new Map<string, StreamState | undefined>()
  for (const [index, record] of records.entries()) {
    const stream = record.execution ?? ''
    states.set(stream, replay(states.get(stream), record))
    const { effects = {}, timers = {}, ...context } = stateAt(steps, index) as Record<string, object>
    assert.equal(context, JSON.parse(JSON.stringify(states.get(stream)?.context)), String(index))
    assert.is(Object.keys(effects).length, Object.keys(states.get(stream)?.effects ?? {}).length)
    assert.is(Object.keys(timers).length, Object.keys(states.get(stream)?.timers ?? {}).length)
  }
})

test('tells how every incarnation ended, and which steps are its own', async () => {
  const { incarnations, steps } = await tell(records)
  assert.equal(
    incarnations.map(({ number, ending }) => [number, ending?.cause]),
    [
      [1, 'crash'],
      [2, 'crash'],
      [3, 'requested'],
    ],
  )
  assert.match(incarnations[0]?.ending?.words ?? '', /SIGKILL/)
  for (const [n, { number, first, last, ending }] of incarnations.entries()) {
    assert.is(first, n === 0 ? 1 : (incarnations[n - 1]?.last ?? 0) + 1)
    assert.is(steps[ending?.step ?? -1]?.event.type, 'vmm.exited')
    assert.is(steps[ending?.step ?? -1]?.incarnation, number)
    if (n === 2) assert.is(last, steps.length - 1)
  }
})

test('tells owners and boots apart, by few words', async () => {
  const { steps, boots, engines } = await tell(records)
  const epochs = [...new Set(steps.map(({ epoch }) => epoch))]
  assert.is(epochs.length, 2)
  assert.equal(boots, [records[0]?.meta.bootId])
  assert.equal(engines, [records[0]?.meta.engine])
})

test('records that end with damage are told up to there; any other end is an error', async () => {
  const cut = await tell(records.slice(0, 5), new BoxError('LEDGER_CORRUPT', 'bad record'))
  assert.equal([cut.steps.length, cut.damage], [5, 'bad record'])
  const nothing = await tell([], new BoxError('LEDGER_CORRUPT', 'bad record'))
  assert.equal([nothing.id, nothing.steps, nothing.incarnations], ['asked-for', [], []])
  try {
    await tell(records, new BoxError('NO_OWNER', 'gone'))
    assert.unreachable()
  } catch (error) {
    assert.ok(BoxError.is(error, 'NO_OWNER'))
  }
})

test('what the machine of today does not come to is told as it was recorded, from there on', async () => {
  const odd = records.map(record =>
    record.version === 4 && record.execution === undefined ? { ...record, to: 'paused' } : record,
  ) as LedgerRecord[]
  const { unfolded, steps } = await tell(odd)
  assert.is(unfolded, records[3]?.position)
  const ofBox = steps.filter(({ execution }) => execution === undefined)
  assert.equal([ofBox[3]?.to, ofBox[3]?.differences], ['paused', []])
  assert.equal([ofBox[4]?.from, ofBox[4]?.to], ['starting', 'starting'])
  assert.is(steps.at(-1)?.to, 'stopped')
  // Executions have states of their own.
  assert.ok(steps.some(({ execution, differences }) => execution !== undefined && differences.length > 0))
})

test.run()
