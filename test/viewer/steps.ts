import type { Step, Story } from '../../src/viewer/story.ts'

/** A step with what a test says of it. */
export const stepOf = (fields: Partial<Step>): Step => ({
  position: 1,
  version: 1,
  at: Date.UTC(2031, 4, 6, 7, 8, 9),
  event: { type: 'box.created' },
  words: '',
  from: '',
  to: 'configured',
  effects: [],
  timers: { set: [], cancelled: [] },
  differences: [],
  incarnation: 0,
  boot: 0,
  epoch: 1,
  engine: 0,
  hash: '0'.repeat(64),
  ...fields,
})

/** A story with what a test says of it. */
export const storyOf = (fields: Partial<Story>): Story => ({
  id: 'abcdefghijkl',
  name: 'web',
  spec: ['built-in guest'],
  toldAt: Date.UTC(2031, 4, 6, 8),
  steps: [],
  incarnations: [],
  boots: ['boot'],
  engines: ['boxledger/1'],
  ...fields,
})
