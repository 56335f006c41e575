import { boxMachine } from '../../machines/index.ts'

/** A state of the box machine, as its literal has it. */
export interface MachineState {
  /** from the top, such as `starting.queued` */
  readonly path: string
  readonly description: string
  readonly children: readonly MachineState[]
  readonly moves: readonly Move[]
  /** the child that it begins in */
  readonly initial?: string
}

/** One case of one event in one state. */
export interface Move {
  /** type of the event, or `after` and a delay's name, or `always` */
  readonly event: string
  readonly guard?: string
  /** path of the state it leads to; absent: stays */
  readonly target?: string
  /** as the literal names them */
  readonly actions: readonly string[]
}

type Node = typeof boxMachine.root
type Definition = Node['always'] extends readonly (infer T)[] | undefined ? T : never

/** The machine as plain data; its root has the path `''`. */
export function readMachine(): MachineState {
  return read(boxMachine.root)
}

function read(node: Node): MachineState {
  const children = Object.values(node.states).map(child => read(child as Node))
  const definitions = [...(node.always ?? []), ...[...node.transitions.values()].flat()] as Definition[]
  const initial = node.config.initial
  return {
    path: node.path.join('.'),
    description: node.description ?? '',
    children,
    moves: definitions.map(readMove),
    ...(typeof initial === 'string' ? { initial: [...node.path, initial].join('.') } : {}),
  }
}

function readMove({ eventType, guard, target, actions }: Definition): Move {
  const to = target?.[0]?.path.join('.')
  return {
    event: eventName(eventType),
    ...(guard === undefined ? {} : { guard: guardName(guard) }),
    ...(to === undefined ? {} : { target: to }),
    actions: actions.map(action => String((action as { readonly type?: unknown }).type ?? action)),
  }
}

function eventName(type: string): string {
  if (type === '') return 'always'
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(type) ?? []
  return delay === undefined ? type : `after ${delay}`
}

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard
  const { guards, type } = guard as { readonly guards?: readonly unknown[]; readonly type?: string }
  return guards === undefined ? (type ?? 'guarded') : guards.map(guardName).join(' and ')
}

export function leavesOf(state: MachineState): readonly MachineState[] {
  return state.children.length === 0 ? [state] : state.children.flatMap(leavesOf)
}

/** A state and all within it. */
export function within(state: MachineState): readonly MachineState[] {
  return [state, ...state.children.flatMap(within)]
}

/**
 * What an event can do in a state: the cases of the innermost state first, then of those around it, up to the first case
 * that is not guarded.
 */
export function casesOf(around: readonly MachineState[], event: string): readonly Move[] {
  const cases: Move[] = []
  for (const { moves } of around)
    for (const move of moves.filter(each => each.event === event)) {
      // What an inner state asks already, an outer one asks in vain.
      if (!cases.some(({ guard }) => guard === move.guard)) cases.push(move)
      if (move.guard === undefined) return cases
    }
  return cases
}
