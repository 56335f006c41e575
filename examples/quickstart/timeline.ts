import type { LedgerRecord } from 'boxledger'
import type { Report } from './report.ts'

/** The ledger as a story: time since the first record, event, state after it, and what matters. */
export function printTimeline(records: readonly LedgerRecord[], report: Report): void {
  const began = Date.parse(records[0]?.at ?? '')
  let owner = 0
  for (const [n, { at, event, from, to, meta }] of records.entries()) {
    if (meta.epoch !== owner) report.line(`── engine ${meta.epoch} ${'─'.repeat(50)}`)
    owner = meta.epoch
    const seconds = ((Date.parse(at) - began) / 1000).toFixed(3).padStart(7)
    const step = from === to ? '' : to
    const cells = [String(n + 1).padStart(3), `${seconds} s`, event.type.padEnd(17), step.padEnd(20)]
    report.line([...cells, remarkOn(event)].join('  ').trimEnd())
  }
}

function remarkOn(event: LedgerRecord['event']): string {
  switch (event.type) {
    case 'start.stage':
      return event.stage
    case 'vmm.spawned':
    case 'vmm.adopted':
      return `pid ${event.process.pid}`
    case 'vmm.ready':
      return `speaks cloud-hypervisor ${event.version}`
    case 'vmm.exited':
      return [event.signal, event.exitCode === undefined ? undefined : `exit code ${event.exitCode}`]
        .filter(Boolean)
        .join(', ')
    case 'command.exited':
      return `exit code ${event.exitCode}, as the guest told`
    case 'stop.rung':
      return event.rung
    case 'start.failed':
      return event.message
    default:
      return ''
  }
}
