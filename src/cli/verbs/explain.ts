import type { Asker, Explanation } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { onceKnown } from '../settled.ts'
import { stateWords } from '../state-words.ts'

export function addExplain({ program, onHome }: Cli): void {
  program
    .command('explain')
    .description('what a box would take now, and what it is waiting for')
    .argument('<box>')
    .action((target: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        let explanation = await runtime.explain(target)
        await onceKnown(async () => {
          explanation = await runtime.explain(target)
          return [explanation.box]
        }, signal)
        if (json) await output.value(explanation)
        else for (const line of linesOf(explanation)) await output.line(line)
      }),
    )
}

function linesOf({ box, accepts, held, effects, timers, executions }: Explanation): string[] {
  return [
    `${box.name ?? box.id} is ${stateWords(box)}, at version ${box.version}`,
    ...(held === undefined
      ? []
      : [`${held.waits ? 'commands wait' : 'no commands'}: ${held.message} (${held.code})`]),
    `would take: ${accepts.length === 0 ? 'nothing' : accepts.join(', ')}`,
    ...effects.map(effect => `is doing: ${effect.type}${askedWords(effect)}`),
    ...timers.map(timer => `timer: ${timer.delay}, due ${timeWords(timer.dueAt)}${askedWords(timer)}`),
    ...executions.map(({ id, startedAt }) => `runs: execution ${id}, since ${timeWords(startedAt)}`),
  ]
}

function askedWords({ position, at, event }: Asker): string {
  return position === undefined ? '' : `, asked for by record ${position} (${event}, ${timeWords(at ?? '')})`
}

function timeWords(iso: string): string {
  return iso.replace('T', ' ')
}
