import { InvalidArgumentError } from 'commander'
import type { ForkEvent, ForkResult, ForkStep } from '../../index.ts'
import { delayOf } from '../../machines/index.ts'
import type { Cli } from '../cli.ts'
import { differenceWords } from '../difference-words.ts'
import { whole } from '../parse.ts'
import { eventWords } from '../record-words.ts'
import { stateWords } from '../state-words.ts'

interface ForkFlags {
  readonly at: number
  readonly event: ForkEvent[]
}

export function addFork({ program, onHome }: Cli): void {
  program
    .command('fork')
    .description('what would have come of invented events; runs nothing, records nothing')
    .argument('<box>')
    .requiredOption('--at <version>', 'version of the box that they follow', whole)
    .requiredOption('--event <json>', 'an event, or its type alone; repeatable, in order', event)
    .action((target: string, { at, event: events }: ForkFlags) =>
      onHome(async ({ runtime, output, json }) => {
        const result = await runtime.fork(target, { version: at }, events)
        if (json) await output.value(result)
        else for (const line of linesOf(result)) await output.line(line)
      }),
    )
}

function event(value: string, before: readonly ForkEvent[] = []): ForkEvent[] {
  if (!value.startsWith('{')) return [...before, { type: value } as ForkEvent]
  try {
    return [...before, JSON.parse(value) as ForkEvent]
  } catch {
    throw new InvalidArgumentError('Give an event as JSON, or its type.')
  }
}

function linesOf({ from, steps, to }: ForkResult): string[] {
  return [
    `version ${from.version}: ${stateWords(from)}`,
    ...steps.flatMap(stepLines),
    `in the end: ${stateWords(to)}. Nothing was run, nothing recorded`,
  ]
}

function stepLines(step: ForkStep): string[] {
  const { event, version, at, from, to, refused, effects, timers, differences } = step
  const words = [event.type, inventedWords(event)].filter(Boolean).join(' ')
  if (refused !== undefined)
    return [`${words}: refused in ${refused.state}, which takes ${refused.accepts.join(', ') || 'nothing'}`]
  // What is pending is told in words of its own.
  const remembered = differences.filter(({ path: [root] }) => root !== 'effects' && root !== 'timers')
  return [
    `version ${version}: ${words}, ${from === to ? to : `${from} -> ${to}`}`,
    ...effects.map(({ type }) => `  would do: ${type}`),
    ...timers.set.map(({ id, dueAt }) => `  would wait: ${delayOf(id)}, ${dueAt - Date.parse(at)} ms`),
    ...remembered.map(difference => `  ${differenceWords(difference)}`),
  ]
}

/** What was invented may lack what its words would tell; a record never does. */
function inventedWords(event: ForkStep['event']): string {
  try {
    const words = eventWords(event)
    return /\bundefined\b/.test(words) ? '' : words
  } catch {
    return ''
  }
}
