import { acceptanceOf } from './acceptance.ts'
import { commands, eventsOf } from './event-order.ts'
import { casesOf, leavesOf, type MachineState, type Move, readMachine, within } from './graph.ts'
import { drawAnywhere, drawInside, drawLife } from './mermaid.ts'

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const fenced = (drawing: string) => ['```mermaid', drawing, '```'].join('\n')
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
    fenced(drawLife(machine)),
    'Wherever a box is, its VMM can end, its host can reboot, and it can become impossible to look at:',
    fenced(drawAnywhere(machine)),
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
    fenced(drawInside(state)),
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

function cell({ guard, target, actions }: Move): string {
  const noted = actions.length === 0 ? 'noted' : `_${actions.join(', ')}_`
  const what = target === undefined ? noted : `→ ${target}`
  return guard === undefined ? what : `[${guard}] ${what}`
}

function acceptance(machine: MachineState): string {
  return table(
    ['State', ...commands.map(command => `\`${command}\``)],
    acceptanceOf(machine).map(({ state, accepts }) => [
      `\`${state}\``,
      ...commands.map(command => ({ yes: '✓', no: '–', partly: 'in part' })[accepts[command]]),
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
