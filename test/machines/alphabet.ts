import type { BoxEvent, BoxSpec, StampedEvent } from 'boxledger/machines'

export const spec: BoxSpec = {
  cpus: 1,
  memoryMib: 256,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 10_000,
}

export const created = {
  type: 'box.created',
  id: 'abcdefghijkl',
  name: 'hello',
  labels: {},
  spec,
} as const satisfies BoxEvent

export const process = { pid: 42, startTime: '4711', bootId: 'boot', pidNamespace: '4026531836' }

const incarnation = 1
const failure = { code: 'BOOT_FAILED', message: 'it did not' }
const exit = { type: 'vmm.exited', incarnation, spawned: true, noShutdown: true } as const

/** Every event that can tell one state from another, timers aside. */
export const alphabet: readonly BoxEvent[] = [
  { type: 'start.requested' },
  { type: 'start.requested', snapshot: 'kept' },
  { type: 'start.requested', boots: true },
  { type: 'snapshot.requested', name: 'kept' },
  { type: 'snapshot.removal.requested', name: 'kept' },
  { type: 'stop.requested', mode: 'graceful' },
  { type: 'stop.requested', mode: 'force' },
  { type: 'stop.requested', mode: 'kill' },
  { type: 'restart.requested' },
  { type: 'pause.requested' },
  { type: 'resume.requested' },
  { type: 'remove.requested', force: false },
  { type: 'remove.requested', force: true },
  { type: 'box.renamed', name: 'other' },
  { type: 'box.resolved', verdict: 'dead' },
  { type: 'start.stage', stage: 'preparing', incarnation },
  { type: 'start.stage', stage: 'spawning', incarnation },
  {
    ...{ type: 'start.stage', stage: 'spawning', incarnation },
    template: { image: 'builtin', template: 'abcdefghijkl' },
  },
  { type: 'start.failed', incarnation, ...failure },
  { type: 'vmm.spawned', incarnation, process },
  { type: 'vmm.ready', incarnation, version: '53.0.0' },
  { type: 'vm.created', incarnation },
  { type: 'vm.booted', incarnation },
  { type: 'guest.ready', incarnation },
  { type: 'vmm.adopted', incarnation, process, vm: 'none' },
  { type: 'vmm.adopted', incarnation, process, vm: 'running' },
  { type: 'vmm.adopted', incarnation, process, vm: 'paused' },
  { type: 'guest.powered-off', incarnation },
  { type: 'guest.rebooted', incarnation, count: 1 },
  { type: 'guest.rebooted', incarnation, count: 5 },
  { type: 'guest.panicked', incarnation },
  { type: 'restart.scheduled', incarnation, delayMs: 100 },
  { type: 'command.exited', incarnation, exitCode: 7 },
  { type: 'health.changed', incarnation, health: 'healthy' },
  { type: 'health.changed', incarnation, health: 'unhealthy', reason: 'exit code 1' },
  { ...exit, last: 'orderly' },
  { ...exit, last: 'none' },
  { type: 'host.rebooted', incarnation },
  { type: 'stop.rung', incarnation, rung: 'power-button', result: 'done' },
  { type: 'stop.rung', incarnation, rung: 'power-button', result: 'failed' },
  { type: 'vm.paused', incarnation },
  { type: 'pause.failed', incarnation, ...failure },
  { type: 'vm.resumed', incarnation },
  { type: 'resume.failed', incarnation, ...failure },
  { type: 'snapshot.written', incarnation, name: 'kept' },
  { type: 'snapshot.committed', incarnation, name: 'kept', bytes: 7, vmm: 'v53.0.0' },
  { type: 'snapshot.failed', incarnation, name: 'kept', ...failure },
  { type: 'snapshot.restored', incarnation, box: 'abcdefghijkl', name: 'kept', guest: 'ready' },
  { type: 'snapshot.restored', incarnation, box: 'abcdefghijkl', name: 'kept', guest: 'stale' },
  {
    ...{ type: 'snapshot.restored', incarnation, image: 'builtin', template: 'abcdefghijkl' },
    guest: 'stale',
  },
  { type: 'snapshot.removed', incarnation, name: 'kept' },
  { type: 'snapshot.removal.failed', incarnation, name: 'kept', ...failure },
  { type: 'box.unknown', incarnation, reason: 'cannot look' },
  { type: 'incarnation.found', incarnation: 7, process, lives: true },
  { type: 'incarnation.found', incarnation: 7, process: null, lives: false },
  { type: 'box.removed', incarnation },
  { type: 'remove.failed', incarnation, ...failure },
]

export const stamp = (event: BoxEvent): StampedEvent => ({ ...event, at: 1_000 }) as StampedEvent
