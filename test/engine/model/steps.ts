import fc from 'fast-check'

/** Boxes are numbered as they are asked for, whether they are made or refused. */
interface OfBox {
  readonly box: number
}

/** What a start does not get past. */
export type Obstacle = 'prepare' | 'spawn' | 'vm.boot'

export type Command =
  | ({
      readonly do: 'create'
      readonly name: string | null
      readonly policy: 'no' | 'on-failure' | 'always' | 'unless-stopped'
      readonly retries: number | null
      readonly autoRemove: boolean
      readonly detach: boolean
    } & OfBox)
  | ({ readonly do: 'start' | 'restart'; readonly fails?: Obstacle } & OfBox)
  | ({ readonly do: 'stop'; readonly mode: 'graceful' | 'force' | 'kill' } & OfBox)
  | ({ readonly do: 'pause' | 'resume' } & OfBox)
  | ({ readonly do: 'remove'; readonly force: boolean } & OfBox)
  | ({ readonly do: 'rename'; readonly name: string | null } & OfBox)

export type Fate = {
  readonly do: 'fate'
  readonly does:
    | 'power-off'
    | 'exit'
    | 'fail'
    | 'panic'
    | 'crash'
    | 'vcpu-error'
    | 'shutdown'
    | 'pause'
    | 'resume'
    | 'reboot-loop'
} & OfBox

/** One thing that happens to a home, as data that can be kept. */
export type Step =
  | Command
  | Fate
  /** two commands at once */
  | { readonly do: 'together'; readonly first: Command; readonly second: Command }
  /** the engine is killed at one of its boundaries while it is at something, and another one opens the home */
  | { readonly do: 'interrupted'; readonly step: Command | Fate; readonly boundary: number }
  /** the same, and the next engine is given the command again, under the same ID */
  | { readonly do: 'repeated'; readonly step: Command; readonly boundary: number }
  /** the disk rejects a write, which is there all the same or lost */
  | {
      readonly do: 'rejected'
      readonly step: Command
      readonly write: number
      readonly outcome: 'there' | 'lost'
    }
  /** the engine is killed or closed, or the host reboots; then things happen, and another engine opens the home */
  | { readonly do: 'crash' | 'close' | 'reboot'; readonly meanwhile: readonly Fate[] }
  /** all restarts that are due come, and those that they lead to do not */
  | { readonly do: 'wait'; readonly fails?: Obstacle }

/** Any number; which box that is comes out of the sequence that it is in. */
const box = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) })
const name = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null, freq: 3 })
const fails = fc.constantFrom<Obstacle>('prepare', 'spawn', 'vm.boot')
const constant = <const T>(value: T) => fc.constant(value)

const create = fc.record({
  do: constant('create'),
  box: fc.constant(0),
  name,
  policy: fc.constantFrom('no', 'on-failure', 'always', 'unless-stopped'),
  retries: fc.constantFrom(null, 0, 1, 1, 2),
  autoRemove: fc.boolean(),
  detach: fc.boolean(),
})

const start = fc.record({ do: constant('start'), box })

const smooth: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: create },
  { weight: 6, arbitrary: start },
  { weight: 2, arbitrary: fc.record({ do: constant('restart'), box }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: constant('stop'), box, mode: fc.constantFrom('graceful', 'force', 'kill') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume'), box }) },
  { weight: 2, arbitrary: fc.record({ do: constant('remove'), box, force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: constant('rename'), box, name }) },
)

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 20, arbitrary: smooth },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('start', 'restart'), box, fails }) },
)

const fate: fc.Arbitrary<Fate> = fc.record({
  do: constant('fate'),
  box,
  does: fc.constantFrom<Fate['does'][]>(
    ...(['power-off', 'exit', 'fail', 'panic', 'crash', 'vcpu-error'] as const),
    ...(['shutdown', 'pause', 'resume', 'reboot-loop'] as const),
  ),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: command },
  { weight: 8, arbitrary: fate },
  { weight: 2, arbitrary: fc.record({ do: constant('together'), first: smooth, second: smooth }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: constant('interrupted'),
      step: fc.oneof(command, fate),
      boundary: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: constant('repeated'),
      step: command,
      boundary: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: constant('rejected'),
      step: command,
      write: fc.integer({ min: 1, max: 6 }),
      outcome: fc.constantFrom('there', 'lost'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'close', 'reboot'),
      meanwhile: fc.array(fate, { maxLength: 2 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: constant('wait') }) },
  { weight: 1, arbitrary: fc.record({ do: constant('wait'), fails }) },
)

/** Something happens to a box from the beginning on, since nothing can happen to none. */
export const sequence: fc.Arbitrary<readonly Step[]> = fc
  .tuple(create, fc.array(step, { minLength: 1, maxLength: 25 }))
  .map(([first, rest]) => numbered([first, ...rest]))

/** The same, where each box has its number, and is one that was asked for. */
function numbered(steps: readonly Step[]): readonly Step[] {
  let asked = 0
  const number = <T extends Command | Fate>(step: T): T =>
    step.do === 'create' ? { ...step, box: asked++ } : { ...step, box: step.box % asked }
  return steps.map(step => {
    if (step.do === 'together') return { ...step, first: number(step.first), second: number(step.second) }
    if (step.do === 'interrupted') return { ...step, step: number(step.step) }
    if (step.do === 'repeated' || step.do === 'rejected') return { ...step, step: number(step.step) }
    if (step.do === 'wait') return step
    if (!('meanwhile' in step)) return number(step)
    // Of two things that befall one box unseen, the second may depend on what an engine makes of the first.
    const byBox = new Map(step.meanwhile.map(number).map(fate => [fate.box, fate]))
    return { ...step, meanwhile: [...byBox.values()] }
  })
}
