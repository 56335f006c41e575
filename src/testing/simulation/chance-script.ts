import type { Flush } from '../disk/simulated-disk.ts'
import type { Call, CallName, Script } from '../host/behaviour.ts'
import type { Random } from '../random.ts'
import type { Faults } from './faults.ts'

/** How long calls take, least and most, in `ms`. */
const times: Readonly<Record<CallName, readonly [number, number]>> = {
  prepare: [1, 50],
  spawn: [1, 20],
  connect: [5, 100],
  'vm.create': [1, 10],
  'vm.boot': [10, 800],
  'vm.pause': [1, 30],
  'vm.resume': [1, 30],
  'vm.snapshot': [10, 200],
  'vm.restore': [10, 200],
  'vm.power-button': [1, 10],
  'vm.shutdown': [1, 100],
  'vmm.shutdown': [1, 50],
  SIGTERM: [1, 100],
  SIGKILL: [0, 5],
  look: [1, 100],
  remove: [1, 100],
}

const mishaps = ['refused', 'lost', 'hangs', 'dies'] as const

export interface ChanceOptions {
  readonly random: Random
  readonly faults: Faults
  /** nothing goes wrong now */
  readonly isCalm: () => boolean
}

/** VMMs and guests as chance has them. */
export function chanceScript({ random, faults, isCalm }: ChanceOptions): Script {
  const goesWrong = () => random.chance(faults.calls) && !isCalm()
  const call = (name: CallName): Call => {
    const [least, most] = times[name]
    const ms = random.between(least, most)
    const answerMs = random.chance(0.5) ? random.between(0, most) : 0
    if (!goesWrong()) return { ms, answerMs }
    // What cannot be killed for a while is killed in the end.
    if (name === 'SIGKILL') return { ms: random.between(1_000, 20_000) }
    if (name === 'look' || name === 'remove' || name === 'prepare') return { ms, outcome: 'refused' }
    return { ms, answerMs, outcome: random.pick(mishaps) }
  }
  return () => ({
    call,
    readyMs: goesWrong() ? Number.POSITIVE_INFINITY : random.between(50, 3_000),
    powerOffMs: goesWrong() ? Number.POSITIVE_INFINITY : random.between(50, 4_000),
  })
}

/** The disk as chance has it: prompt mostly, sometimes slow, sometimes failing. */
export function chanceFlush({ random, faults, isCalm }: ChanceOptions): () => Flush {
  return () => {
    const slow = random.chance(0.02) ? random.between(50, 500) : 0
    const outcome =
      random.chance(faults.rejectedFlushes) && !isCalm() ? (random.chance(0.5) ? 'lost' : 'there') : 'written'
    return { writeMs: random.below(4) + slow, answerMs: random.below(2), outcome }
  }
}
