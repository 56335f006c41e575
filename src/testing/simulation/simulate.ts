import type { BoxOptions } from '../../api/options.ts'
import type { EndingCause } from '../../machines/index.ts'
import type { Script } from '../host/behaviour.ts'
import type { Violation } from '../invariants/violation.ts'
import { type Random, seeded } from '../random.ts'
import type { Asked } from './asking.ts'
import { chanceFlush, chanceScript } from './chance-script.ts'
import { Chaos } from './chaos.ts'
import { type Faults, noFaults, usualFaults } from './faults.ts'
import type { SimulationOptions } from './options.ts'
import { Simulation } from './simulation.ts'
import { lineOf } from './timeline.ts'
import { Users } from './users.ts'
import { usualBox } from './usual-box.ts'

export interface SimulateOptions
  extends Pick<SimulationOptions, 'seed' | 'rule' | 'step' | 'hands' | 'startConcurrency' | 'timeline'> {
  /** that simulated users keep; default 20 */
  readonly boxes?: number
  /** of simulated time; default 24 */
  readonly hours?: number
  /** given by users, for each box; default 4 */
  readonly commandsPerHour?: number
  /** what the n-th box is to be; default: all policies come up */
  readonly box?: (n: number, random: Random) => BoxOptions
  /** what goes wrong: those that are left out as usual, or nothing */
  readonly faults?: Partial<Faults> | 'none'
  /** how a VMM and its guest behave, where chance is not to have it */
  readonly script?: Script
  /** how often everything comes to rest, to be checked whole; default 4 */
  readonly checks?: number
  /** told at the end of each check, while everything is at rest: a place for checks of your own */
  readonly onCheck?: (world: Simulation) => unknown
}

export interface SimulationReport {
  readonly seed: number
  /** of simulated time */
  readonly hours: number
  /** hours that boxes have existed, summed up */
  readonly boxHours: number
  /** transitions in the ledger */
  readonly records: number
  readonly commands: Readonly<Asked>
  /** VMMs made */
  readonly vmms: number
  /** endings of VMMs, by cause */
  readonly endings: Readonly<Partial<Record<EndingCause, number>>>
  /** kills of the engine, orderly ends of it, and reboots of the host */
  readonly crashes: number
  readonly closes: number
  readonly hostReboots: number
  /** groups of transitions that the disk has taken, and those that it did not take as it should */
  readonly flushes: number
  readonly diskFaults: number
  /** what must not be and was; empty: all has held */
  readonly violations: readonly Violation[]
  /** over all that happened: the same seed and options, the same hash */
  readonly hash: string
  /** what happened, to one box or to all, a line each */
  lines(box?: string): string[]
}

/** Some starts begin with a template; not by chance, which others count on. */
const warmNowAndThen: Script = ({ incarnation }) => ({ isWarm: incarnation % 3 === 2 })

const hourMs = 3_600_000
/** How long callers may wait for their answers once nothing new goes wrong, in `ms`. */
const answerMs = 1_800_000
/** With so many violations the rest is no news. */
const enough = 20

/**
 * Runs the real engine for days of simulated time, in seconds, under users who command boxes about, and faults of every
 * kind; and holds all that happens against the invariants.
 *
 * @example
 * const { violations, lines } = await simulate({ seed: 7, boxes: 50, hours: 24 })
 * for (const { invariant, message } of violations) console.error(invariant, message)
 */
export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const { seed, boxes = 20, hours = 24, commandsPerHour = 4, box = usualBox, checks = 4, script } = options
  const faults = options.faults === 'none' ? noFaults : { ...usualFaults, ...options.faults }
  const random = seeded(seed)
  let isCalm = false
  const chance = (name: string) => ({ random: random.fork(name), faults, isCalm: () => isCalm })
  const byChance = chanceScript(chance('vmms'))
  const notice = random.fork('notice')
  let chaos: Chaos | undefined
  await using world = await Simulation.open({
    ...options,
    script: start => ({ ...byChance(start), ...(script ?? warmNowAndThen)(start) }),
    flush: chanceFlush(chance('disk')),
    noticeMs: () => (notice.chance(0.02) ? 2_000 : notice.between(1, 20)),
    boundary: () => chaos?.boundary(),
  })
  chaos = new Chaos(world, random.fork('chaos'), faults)
  const users = new Users(world, { boxes, commandsPerHour, box, random: random.fork('users') })
  for (let n = 1; n <= checks && world.violations.length < enough; n += 1) {
    isCalm = chaos.isCalm = users.isResting = world.host.isCalm = false
    await world.advance(Math.round((hours * hourMs * n) / checks) - world.clock.monotonic())
    isCalm = users.isResting = world.host.isCalm = true
    chaos.rest()
    await checkAtRest(world, users, n === checks)
    await options.onCheck?.(world)
  }
  const timeline = world.timeline()
  return {
    seed,
    hours: world.clock.monotonic() / hourMs,
    boxHours: world.boxHours,
    records: world.tail.position,
    commands: users.asking.counts,
    vmms: world.host.spawned,
    endings: world.endings,
    crashes: chaos.crashes,
    closes: chaos.closes,
    hostReboots: chaos.hostReboots,
    flushes: world.disk.flushes,
    diskFaults: world.disk.faults,
    violations: world.violations,
    hash: world.hash,
    lines: id =>
      timeline.filter(entry => id === undefined || entry.box === undefined || entry.box === id).map(lineOf),
  }
}

/** Nothing new happens: all callers get their answers, the engine and the host come to agree, recovery is idle. */
async function checkAtRest(world: Simulation, users: Users, isLast: boolean): Promise<void> {
  const step = 10_000
  const { open } = users.asking
  for (let waited = 0; waited < answerMs && (!world.isUp || open.size > 0); waited += step)
    await world.advance(step)
  if (!world.isUp) return world.note('sound', undefined, 'the home cannot be opened')
  for (const { what, box } of open.values())
    world.note('answered', box, `${what} got no answer within 30 minutes`)
  open.clear()
  await world.settle()
  await world.recoverTwice()
  await world.settle()
  if (isLast) await world.verify()
}
