import { existsSync, statSync } from 'node:fs'
import type { Exit } from '../../machines/index.ts'
import { lastBytes, lastLines } from '../files/last-lines.ts'
import type { RunFiles } from '../files/paths.ts'
import type { OwnChild } from '../host/spawn.ts'
import type { EventWatch } from './event-watch.ts'
import type { Incarnation } from './incarnation.ts'
import type { SerialWatch } from './serial-watch.ts'

type Ended = Awaited<OwnChild['ended']>

const tailLines = 20
const searchedBytes = 64 * 1024

/**
 * The last events can be missing though a VMM has ended in good order (recorded: 1 of 100 runs). Its exit code is 0
 * then; and where nobody can know that, it has taken its socket away, which a VMM that was killed leaves behind.
 */
function hasEndedWell(files: RunFiles, ended: Ended | undefined, events: EventWatch): boolean {
  if (ended !== undefined) return ended.exitCode === 0
  return events.sawBooted && existsSync(files.log) && !existsSync(files.socket)
}

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
  const ended = await child?.ended
  const last = events.last === 'none' && hasEndedWell(files, ended, events) ? 'orderly' : events.last
  return {
    spawned: true,
    ...ended,
    last,
    ...(vcpuError ? { vcpuError } : {}),
    noShutdown: quirks.noShutdown,
    ...(events.names.length > 0 ? { lastEvents: events.names } : {}),
    ...(lines.length > 0 ? { logTail: lines.join('\n') } : {}),
    ...(serial.commandExit === undefined ? {} : { commandExitCode: serial.commandExit }),
  }
}

/** Whether a VMM of this run directory has come to do anything; its life lock alone is the doing of whoever made it. */
export function hasLeftTraces({ socket, events, log, stdout, stderr }: RunFiles): boolean {
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return existsSync(socket) || [events, log, stdout, stderr].some(path => sizeOf(path) > 0)
}

/** For a process that was never made. */
export const neverSpawned: Exit = { spawned: false, last: 'none', noShutdown: true }
