import * as assert from 'uvu/assert'
import { hashOf, markOf, sentenceOf, sinceWords } from '../../src/viewer/marks.ts'
import { plain } from '../../src/viewer/plain.ts'
import { Search } from '../../src/viewer/search.ts'
import { stateAt } from '../../src/viewer/state-at.ts'
import { suite } from '../support/suite.ts'
import { hasHidden, hostileTexts } from './hostile.ts'
import { stepOf } from './steps.ts'

const test = suite('viewer: what is told of steps')

test('another owner and another boot are marks; the first step has none', () => {
  const first = stepOf({})
  assert.is(markOf(first, undefined), undefined)
  assert.is(markOf(stepOf({}), first), undefined)
  assert.equal(markOf(stepOf({ epoch: 2 }), first), { kind: 'engine', words: 'owner 2' })
  assert.is(markOf(stepOf({ epoch: 2, boot: 1 }), first)?.kind, 'host')
})

test('a step has an address, a time since the one before, and a sentence', () => {
  const step = stepOf({
    version: 7,
    position: 12,
    from: 'running.steady',
    to: 'crashed.resting',
    words: 'SIGKILL',
  })
  assert.is(hashOf(step), '#v7')
  assert.is(hashOf({ ...step, execution: 'e' }), '#p12')
  assert.is(sinceWords({ ...step, at: step.at + 90_000 }, step), '+1 min 30 s')
  // A clock may go back.
  assert.is(sinceWords({ ...step, at: step.at - 2 }, step), '−2 ms')
  assert.is(sentenceOf(step), 'Version 7: box.created, SIGKILL; from running.steady to crashed.resting')
  assert.is(sentenceOf({ ...step, from: step.to }), 'Version 7: box.created, SIGKILL; in crashed.resting')
})

test('search asks for all words, in any case, in the event, the move, the effects and who asked', () => {
  const search = new Search([
    stepOf({ event: { type: 'start.requested' }, actor: 'Ann', from: 'configured', to: 'starting.queued' }),
    stepOf({ event: { type: 'vmm.exited', signal: 'SIGKILL' } as { type: string }, commandId: 'deploy-7' }),
    stepOf({ execution: 'exec1', effects: [{ id: '1.0', type: 'runCommand' }], version: 31 }),
  ])
  const cases: [string, number[]][] = [
    ['', [0, 1, 2]],
    ['  ', [0, 1, 2]],
    ['ann', [0]],
    ['configured → starting', [0]],
    ['EXITED sigkill', [1]],
    ['deploy-7', [1]],
    ['runcommand v31', [2]],
    ['exec1 sigkill', []],
  ]
  for (const [query, found] of cases) assert.equal(search.find(query), found, query)
})

test('differences, one on the other, are the state; the story stays as it is', () => {
  const steps = [
    stepOf({
      differences: [
        { path: ['name'], after: 'web' },
        { path: ['seen'], after: { ready: false, list: [1, 2] } },
      ],
    }),
    stepOf({ execution: 'e', differences: [{ path: ['name'], after: 'of the execution' }] }),
    stepOf({
      differences: [
        { path: ['seen', 'ready'], before: false, after: true },
        { path: ['seen', 'list', '1'], before: 2, after: 3 },
        { path: ['labels', '__proto__'], after: 'own' },
        { path: ['name'], before: 'web' },
      ],
    }),
  ]
  const told = JSON.stringify(steps)
  assert.equal(stateAt(steps, 0), { name: 'web', seen: { ready: false, list: [1, 2] } })
  assert.equal(stateAt(steps, 1), { name: 'of the execution' })
  assert.is(
    JSON.stringify(stateAt(steps, 2)),
    '{"seen":{"ready":true,"list":[1,3]},"labels":{"__proto__":"own"}}',
  )
  assert.is(JSON.stringify(steps), told)
  assert.equal(stateAt(steps, -1), {})
})

test('what is hidden in a text is written out, and nothing else is changed', () => {
  assert.is(plain('a\u202eb\u0000c\u200b\td\ne'), 'a\\u202eb\\u0000c\\u200b\td\ne')
  assert.is(plain('Grüße, 你好 🙂 ערב'), 'Grüße, 你好 🙂 ערב')
  for (const text of hostileTexts) assert.not.ok(hasHidden(plain(text)), text)
})

test.run()
