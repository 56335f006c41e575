import type { Step, Story } from '../../src/viewer/story.ts'
import { stepOf, storyOf } from './steps.ts'

const life: readonly (readonly [type: string, to: string])[] = [
  ['timer.fired', 'starting.queued'],
  ['start.stage', 'starting.preparing'],
  ['start.stage', 'starting.spawning'],
  ['vmm.spawned', 'starting.connecting'],
  ['vmm.ready', 'starting.creating'],
  ['vm.created', 'starting.booting'],
  ['vm.booted', 'running.steady'],
  ['vmm.exited', 'crashed.scheduling'],
  ['restart.scheduled', 'crashed.waiting'],
]

/** A box that crashes as soon as it is up, for ever. */
export function longStory(records: number): Story {
  const steps: Step[] = []
  const incarnations = []
  for (let n = 0; n < records; n += 1) {
    const [type, to] = life[n % life.length] ?? ['', '']
    const before = steps.at(-1)
    const incarnation = Math.floor(n / life.length) + 1
    if (n % life.length === 0)
      incarnations.push({ number: incarnation, first: n, last: Math.min(records, n + life.length) - 1 })
    steps.push(
      stepOf({
        ...{ position: n + 1, version: n + 1, at: Date.UTC(2031, 0, 1) + n * 700 },
        event: { type, incarnation } as { type: string },
        ...{ words: `pid ${n}`, from: before?.to ?? '', to, incarnation },
        ...(n === 0 ? {} : { cause: n }),
        effects: [{ id: `${n}.0`, type: 'spawnVmm' }],
        differences: [
          { path: ['process', 'pid'], before: n, after: n + 1 },
          { path: ['effects', 'spawnVmm'], after: `${n}.0` },
        ],
        epoch: Math.floor(n / 500) + 1,
      }),
    )
  }
  return storyOf({ steps, incarnations })
}
