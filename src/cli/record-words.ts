import type { LedgerRecord } from '../index.ts'
import { delayOf } from '../machines/index.ts'
import { count } from './amounts.ts'

type Event = LedgerRecord['event']

/** What matters of an event beside its name, in few words; empty if nothing does. */
export function eventWords(event: Event): string {
  switch (event.type) {
    case 'box.created':
      return imageWords(event.spec)
    case 'box.renamed':
      return event.name ?? 'no name'
    case 'box.resolved':
      return event.verdict
    case 'start.requested':
      return event.snapshot === undefined ? '' : `from snapshot ${event.snapshot}`
    case 'snapshot.requested':
    case 'snapshot.written':
    case 'snapshot.removal.requested':
    case 'snapshot.removed':
      return event.name
    case 'snapshot.committed':
      return `${event.name}, ${event.bytes} bytes`
    case 'snapshot.restored':
      return 'template' in event
        ? `template ${event.template} of ${event.image}`
        : `${event.name} of ${event.box}`
    case 'snapshot.failed':
    case 'snapshot.removal.failed':
      return `${event.name}: ${event.code}: ${event.message}`
    case 'stop.requested':
      return [event.mode === 'graceful' ? '' : event.mode, event.reason ?? ''].filter(Boolean).join(': ')
    case 'remove.requested':
      return event.force ? 'force' : ''
    case 'start.stage':
      return [event.stage, ...beginningWords(event)].join(', ')
    case 'vmm.spawned':
      return `pid ${event.process.pid}`
    case 'vmm.adopted':
      return `pid ${event.process.pid}, VM ${event.vm}`
    case 'vmm.ready':
      return `version ${event.version}`
    case 'guest.rebooted':
      return event.count === 1 ? '' : `${event.count} times`
    case 'command.exited':
      return `exit code ${event.exitCode}`
    case 'vmm.exited':
      return exitWords(event)
    case 'restart.scheduled':
      return `in ${event.delayMs} ms`
    case 'stop.rung':
      return event.result === 'done'
        ? event.rung
        : `${event.rung} failed: ${event.message ?? 'no reason given'}`
    case 'start.failed':
    case 'pause.failed':
    case 'resume.failed':
    case 'remove.failed':
      return `${event.code}: ${event.message}`
    case 'box.unknown':
      return event.reason
    case 'incarnation.found':
      return event.process === null ? `number ${event.incarnation}` : `pid ${event.process.pid}`
    case 'health.changed':
      return event.reason === undefined ? event.health : `${event.health}: ${event.reason}`
    case 'exec.started':
      return commandWords(event)
    case 'exec.ended':
      return [event.signal ?? `exit code ${event.exitCode}`, event.reason ?? ''].filter(Boolean).join(', ')
    case 'exec.lost':
      return event.reason
    case 'timer.fired':
      return delayOf(event.timer)
    default:
      return ''
  }
}

function beginningWords({ template, passedOver }: Extract<Event, { type: 'start.stage' }>): string[] {
  return [
    ...(template === undefined ? [] : [`from template ${template.template} of ${template.image}`]),
    ...(passedOver === undefined ? [] : [`without a template: ${passedOver.code}: ${passedOver.message}`]),
  ]
}

function commandWords({ command, arguments: args }: Extract<Event, { type: 'exec.started' }>): string {
  if (!('count' in args)) return [command, ...args].join(' ')
  return args.count === 0 ? command : `${command} and ${count(args.count, 'argument')}`
}

function imageWords({ image, command }: Extract<Event, { type: 'box.created' }>['spec']): string {
  const name = image === undefined ? 'built-in guest' : typeof image === 'string' ? image : image.kernel
  return command === undefined ? name : `${name}, ${command.join(' ')}`
}

function exitWords(exit: Extract<Event, { type: 'vmm.exited' }>): string {
  const { exitCode, signal, last, commandExitCode } = exit
  const how = [
    ...(signal === undefined ? [] : [signal]),
    ...(exitCode === undefined ? [] : [`code ${exitCode}`]),
    ...(commandExitCode === undefined ? [] : [`command's exit code ${commandExitCode}`]),
    ...(last === 'none' ? [] : [last]),
    ...(exit.vcpuError ? ['virtual CPU failed'] : []),
  ]
  return how.filter(Boolean).join(', ')
}
