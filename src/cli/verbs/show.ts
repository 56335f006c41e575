import { InvalidArgumentError } from 'commander'
import { BoxError, type BoxInfo, type Moment } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { date } from '../parse.ts'
import { onceKnown } from '../settled.ts'
import { stateWords } from '../state-words.ts'

export function addShow({ program, onHome }: Cli): void {
  program
    .command('show')
    .description('a box as it is, or as it was; of a removed box too, by its ID')
    .argument('<box>')
    .option('--at <version|time>', 'after its record of that version, or at that time', moment)
    .action((target: string, { at }: { at?: Moment }) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const [info] =
          at === undefined
            ? await onceKnown(async () => [(await runtime.explain(target)).box] as const, signal)
            : [await runtime.stateAt(target, at)]
        if (info === undefined)
          throw new BoxError('NOT_FOUND', `There is no box ${target}`, { details: { idOrName: target } })
        if (json) await output.value(info)
        else for (const [word, value] of wordsOf(info)) await output.line(`${word.padEnd(12)} ${value}`)
      }),
    )
}

export function moment(value: string): Moment {
  if (/^\d{1,9}$/.test(value)) return { version: Number(value) }
  try {
    return { time: date(value) }
  } catch {
    throw new InvalidArgumentError('Give a version, or a time as 2025-12-31T23:59:00Z.')
  }
}

function wordsOf(info: BoxInfo): [word: string, value: string][] {
  const { id, name, version, position, incarnation, pid, ending, restarts, reboots, executions } = info
  return [
    ['box', name === undefined ? id : `${name} (${id})`],
    ['state', stateWords(info)],
    ['version', `${version}, position ${position}, ${timeWords(info.updatedAt)}`],
    ['created', timeWords(info.createdAt)],
    ...(info.startedAt === undefined ? [] : [['started', timeWords(info.startedAt)] as [string, string]]),
    ['incarnation', pid === undefined ? String(incarnation) : `${incarnation}, pid ${pid}`],
    ...(ending === undefined ? [] : [['ended', endingWords(ending)] as [string, string]]),
    ...(info.restartAt === undefined ? [] : [['restarts at', timeWords(info.restartAt)] as [string, string]]),
    ['counted', `${restarts} restarts, ${reboots} reboots, ${executions} executions`],
    ['spec', JSON.stringify(info.spec)],
  ]
}

function endingWords({ cause, at, message }: NonNullable<BoxInfo['ending']>): string {
  return `${cause}, ${timeWords(at)}${message === undefined ? '' : `: ${message}`}`
}

function timeWords(iso: string): string {
  return iso.replace('T', ' ')
}
