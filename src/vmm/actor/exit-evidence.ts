import type { Exit } from '../../machines/index.ts'
import { lastBytes, lastLines } from '../files/last-lines.ts'
import type { EventWatch } from './event-watch.ts'
import type { Incarnation } from './incarnation.ts'
import type { SerialWatch } from './serial-watch.ts'

const tailLines = 20
const searchedBytes = 64 * 1024

/** Gathers what tells how a VMM has ended. A file that cannot be read says nothing. */
export async function exitEvidence(
  { child, files, quirks }: Incarnation,
  events: EventWatch,
  serial: SerialWatch,
): Promise<Exit> {
  const logs = [files.log, files.stderr, files.stdout]
  const texts = await Promise.all(
    logs.map(path => lastBytes(path, searchedBytes).catch(() => Buffer.alloc(0))),
  )
  const vcpuError = texts.some(text => text.includes('VCPU generated error'))
  const [log = [], stderr = []] = await Promise.all(
    logs.map(path => lastLines(path, tailLines).catch(() => [])),
  )
  const own = [...log, ...stderr].slice(-tailLines)
  const lines = own.length > 0 ? own : await lastLines(files.serial, tailLines).catch(() => [])
  return {
    spawned: true,
    ...(child ? await child.ended : {}),
    last: events.last,
    ...(vcpuError ? { vcpuError } : {}),
    noShutdown: quirks.noShutdown,
    ...(events.names.length > 0 ? { lastEvents: events.names } : {}),
    ...(lines.length > 0 ? { logTail: lines.join('\n') } : {}),
    ...(serial.commandExit === undefined ? {} : { commandExitCode: serial.commandExit }),
  }
}

/** For a process that was never made. */
export const neverSpawned: Exit = { spawned: false, last: 'none', noShutdown: true }
