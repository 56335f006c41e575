import { casesOf, leavesOf, type MachineState, type Move, readMachine, within } from './machine-graph.ts'
import { drawAnywhere, drawInside, drawLife } from './mermaid.ts'

/** Commands, in the order in which people meet them. */
const commands = [
  'start.requested',
  'stop.requested',
  'restart.requested',
  'pause.requested',
  'resume.requested',
  'snapshot.requested',
  'snapshot.removal.requested',
  'remove.requested',
  'box.renamed',
  'box.resolved',
] as const

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** The page about the machine, made from the machine. */
export function machinePage(): string {
  const machine = readMachine()
  const inner = groups(machine.children.filter(({ children }) => children.length > 0))
  return `${[
    '# The box machine',
    'Made from `src/machines/box.ts` by `npm run docs`; do not edit. A test fails when this page is stale.',
    'A command that has no case in a state is refused, and the refusal names the state and what it would accept. A fact ' +
      'that has no case is recorded and changes nothing.',
    '## The life of a box',
    'What `BoxInfo.state` shows. In stages, rungs and the like a state is finer within; those names may change.',
    drawLife(machine),
    'Wherever a box is, its VMM can end, its host can reboot, and it can become impossible to look at:',
    drawAnywhere(machine),
    'The cases of an event are tried in order, with their guards in brackets; `goesAway` is a removal under way or ' +
      '`autoRemove`, `isOver` a fact about a VMM that is known to have ended. In italics: what is noted of it.',
    everywhere(machine),
    '## What each state accepts',
    `Accepted (✓), accepted in part (a guard or the finer state decides), or refused (–).`,
    acceptance(machine),
    '## The states from within',
    ...inner.flatMap(group => insideOf(group, machine)),
    '## States without parts',
    ...machine.children
      .filter(({ children }) => children.length === 0)
      .flatMap(state => [`### ${state.path}`, `${state.description}.`, cases([state], [state], machine)]),
  ].join('\n\n')}\n`
}

function insideOf(group: readonly MachineState[], machine: MachineState): string[] {
  const [state] = group
  if (state === undefined) return []
  const alike = group.slice(1).map(({ path }) => `\`${path}\``)
  return [
    `### ${group.map(({ path }) => path).join(', ')}`,
    ...group.map(({ path, description }) => `\`${path}\`: ${description}.`),
    ...(alike.length === 0
      ? []
      : [`Drawn for \`${state.path}\`; ${alike.join(' and ')} are the same within.`]),
    drawInside(state),
    table(
      ['State', 'What it is'],
      state.children.map(({ path, description }) => [`\`${path}\``, description]),
    ),
    cases(leavesOf(state), [state], machine),
  ]
}

/** Every event that has a case in one of these states, and its cases in each. */
function cases(
  leaves: readonly MachineState[],
  outer: readonly MachineState[],
  machine: MachineState,
): string {
  const around = (leaf: MachineState) => [leaf, ...outer.filter(state => state !== leaf)]
  const events = eventsOf(leaves.flatMap(around))
  if (events.length === 0) return 'It has no cases of its own.'
  const isEverywhere = (event: string) => machine.moves.some(move => move.event === event)
  const cellOf = (leaf: MachineState, event: string) => {
    const own = around(leaf).some(({ moves }) => moves.some(move => move.event === event))
    if (!own) return isEverywhere(event) ? 'as everywhere' : '·'
    return casesOf([...around(leaf), machine], event)
      .map(cell)
      .join('<br>')
  }
  return table(
    ['Event', ...leaves.map(({ path }) => `\`${path.split('.').at(-1)}\``)],
    events.map(event => [`\`${event}\``, ...leaves.map(leaf => cellOf(leaf, event))]),
  )
}

/** The cases that a state of its own does not replace. */
function everywhere(machine: MachineState): string {
  return table(
    ['Event', 'everywhere'],
    eventsOf([machine]).map(event => [`\`${event}\``, casesOf([machine], event).map(cell).join('<br>')]),
  )
}

const eventsOf = (states: readonly MachineState[]) =>
  [...new Set(states.flatMap(({ moves }) => moves.map(move => move.event)))].sort(byKind)

function cell({ guard, target, actions }: Move): string {
  const noted = actions.length === 0 ? 'noted' : `_${actions.join(', ')}_`
  const what = target === undefined ? noted : `→ ${target}`
  return guard === undefined ? what : `[${guard}] ${what}`
}

function acceptance(machine: MachineState): string {
  const accepted = (state: MachineState, command: string) => {
    const answers = leavesOf(state).map(leaf => {
      const found = casesOf(leaf === state ? [state] : [leaf, state], command)
      if (found.length === 0) return 'none'
      return found.some(({ guard }) => guard === undefined) ? 'all' : 'some'
    })
    if (answers.every(answer => answer === 'all')) return '✓'
    return answers.every(answer => answer === 'none') ? '–' : 'in part'
  }
  return table(
    ['State', ...commands.map(command => `\`${command}\``)],
    machine.children.map(state => [
      `\`${state.path}\``,
      ...commands.map(command => accepted(state, command)),
    ]),
  )
}

/** States that are the same within are told once. */
function groups(states: readonly MachineState[]): readonly (readonly MachineState[])[] {
  const alike = new Map<string, MachineState[]>()
  for (const state of states) {
    const relative = within(state).map(({ description: _, ...rest }, n) => (n === 0 ? rest : { ...rest }))
    const key = JSON.stringify(relative).replaceAll(`"${state.path}`, '"')
    alike.set(key, [...(alike.get(key) ?? []), state])
  }
  return [...alike.values()]
}

function byKind(a: string, b: string): number {
  const rank = (event: string) => {
    const command = (commands as readonly string[]).indexOf(event)
    if (command >= 0) return command
    if (event === 'always') return 200
    return event.startsWith('after ') ? 150 : 100
  }
  return rank(a) - rank(b) || a.localeCompare(b, 'en')
}
