import { writeSync } from 'node:fs'
import type { EventMonitor, VmmEvent } from './event-monitor.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { Log } from './log.ts'
import type { Vmm } from './vmm.ts'

/** Time between two writes of a flood, in `ms`. */
const everyMs = 10
const mib = 1 << 20

interface Banks {
  readonly vmm: Vmm
  readonly events: EventMonitor
  readonly log: Log
}

/** Begins the floods asked for; they go on until the process ends, or so long as they were asked for. */
export function beginFloods(plan: FaultPlan, banks: Banks): void {
  for (const fault of plan.takeFloods()) {
    const end = Date.now() + fault.ms
    const text = textOf(fault)
    const bytes = Buffer.from(
      text.repeat(Math.max(1, Math.round((fault.mibps * mib * everyMs) / 1000 / text.length))),
    )
    const timer = setInterval(() => {
      pour(fault, bytes, banks)
      if (fault.lasts && Date.now() > end) clearInterval(timer)
    }, everyMs)
  }
}

function pour({ kind }: Fault, bytes: Buffer, { vmm, events, log }: Banks): void {
  if (kind === 'flood-events') events.pour(bytes)
  else if (kind === 'flood-serial') vmm.print('serial', bytes)
  else if (kind === 'flood-console') vmm.print('console', bytes)
  else if (kind === 'flood-log') log.print(bytes)
  else for (const fd of [1, 2]) writeAll(fd, bytes)
}

function writeAll(fd: number, bytes: Buffer): void {
  try {
    writeSync(fd, bytes)
  } catch (error) {
    // Nobody reads, or the disk is full: what is lost in a flood is no loss.
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}

function textOf({ kind, body, events }: Fault): string {
  if (kind !== 'flood-events') return `${body}\n`
  return events.map(name => `${formatEvent(name)}\n\n`).join('')
}

function formatEvent(name: string): string {
  const [source = 'vm', event = 'rebooted'] = name.split('/') as [VmmEvent['source'], string]
  return JSON.stringify({ timestamp: { secs: 1, nanos: 0 }, source, event, properties: null }, null, 2)
}
