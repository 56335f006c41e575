import { setTimeout as delay } from 'node:timers/promises'
import { type Box, BoxError, type BoxMetrics } from '../../index.ts'
import { bytes } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import type { Session } from '../session.ts'
import { onceKnown } from '../settled.ts'
import { boxOf } from '../targets.ts'

interface StatsFlags {
  readonly follow?: boolean
  readonly stream?: boolean
}

/** Between two readings, in `ms`: VMMs are looked at no more often. */
const restMs = 1_000

const head = [
  'ID',
  'NAME',
  'STATE',
  'CPU',
  'MEMORY',
  'GUEST',
  'DISK R / W',
  'NET IN / OUT',
  'EXECS',
  'RESTARTS',
]

/** The cursor to the top, and nothing below it. */
const clear = '\u001b[H\u001b[J'

export function addStats({ program, onHome }: Cli): void {
  program
    .command('stats')
    .description('what boxes use, once a second at a terminal; by default of all that are up')
    .argument('[box...]')
    .option('-f, --follow', 'go on also where the output is no terminal')
    .option('--no-stream', 'one reading only')
    .addHelpText(
      'after',
      "\nCPU is in processors of this machine, since the reading before; at first since the box's VMM was started.",
    )
    .action((targets: string[], { follow = false, stream = true }: StatsFlags) =>
      onHome(async session => {
        const { output, json, signal } = session
        const isLive = output.isTerminal && !json
        const goesOn = stream && (follow || isLive)
        const named = await Promise.all(targets.map(target => boxOf(session.runtime, target)))
        await onceKnown(() => session.runtime.listInfo(), signal)
        for (let isFirst = true; ; isFirst = false) {
          const rows = await readingsOf(session, named)
          if (goesOn && isLive) await output.write(clear)
          if (json) for (const row of rows) await output.row(row)
          else await output.table(isFirst || isLive ? head : undefined, rows.map(rowOf))
          if (!goesOn || (named.length > 0 && rows.length === 0)) return 0
          await delay(restMs, undefined, { signal })
        }
      }),
    )
}

interface Reading extends BoxMetrics {
  readonly id: string
  readonly name?: string
}

/** Those of boxes that are removed meanwhile are left out. */
async function readingsOf({ runtime }: Session, named: readonly Box[]): Promise<Reading[]> {
  const readings = (named.length > 0 ? named : await upBoxes(runtime)).map(
    async (box): Promise<Reading[]> => {
      try {
        const metrics = await box.metrics()
        if (metrics.state === 'removed') return []
        return [{ id: box.id, ...(box.name === undefined ? {} : { name: box.name }), ...metrics }]
      } catch (error) {
        if (BoxError.is(error, 'NOT_FOUND')) return []
        throw error
      }
    },
  )
  return (await Promise.all(readings)).flat()
}

async function upBoxes(runtime: Session['runtime']): Promise<Box[]> {
  const infos = await runtime.listInfo({ states: ['starting', 'running', 'paused', 'stopping', 'unknown'] })
  // Of damaged records nothing can be told.
  const sound = infos.filter(({ parked }) => parked === undefined)
  const boxes = await Promise.all(sound.map(({ id }) => runtime.get(id)))
  return boxes.filter(box => box !== undefined)
}

function rowOf({ id, name, state, cpu, memory, disks, net, executions, restarts }: Reading): string[] {
  return [
    id,
    name ?? '-',
    state,
    cpu === undefined ? '-' : `${(cpu.use * 100).toFixed(1)} %`,
    memory?.residentBytes === undefined ? '-' : bytes(memory.residentBytes),
    memory === undefined ? '-' : bytes(memory.guestBytes),
    disks === undefined ? '-' : pair(Object.values(disks), 'readBytes', 'writeBytes'),
    net === undefined ? '-' : pair(Object.values(net), 'rxBytes', 'txBytes'),
    String(executions),
    String(restarts),
  ]
}

function pair<Name extends string>(
  devices: readonly Readonly<Record<Name, number>>[],
  ...names: [Name, Name]
): string {
  return names.map(name => bytes(devices.reduce((sum, device) => sum + device[name], 0))).join(' / ')
}
