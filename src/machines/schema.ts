import type { StreamEvent } from './step.ts'

/**
 * What a release reads and writes. Stored bytes are never rewritten: a record of an older shape is brought into today's
 * when it is read.
 */
export interface Schema {
  /** raised by every change of an event's shape, of a state's, or of what can be stored at all */
  readonly level: number
  /** of each event type that there is: the version in which it is written; 1 has no number in the record */
  readonly versions: Readonly<Record<string, number>>
  /** by `TYPE@VERSION`: brings a record of that one into the next; a type that has another name now too */
  readonly upcasters: Readonly<Record<string, Upcaster>>
}

/** The part of a record that may change its shape. */
export interface Told {
  /** `v`: its version; absent: 1 */
  readonly event: { readonly type: string; readonly v?: number; readonly [field: string]: unknown }
  readonly from: string
  readonly to: string
  readonly effects: readonly object[]
  readonly timers: object
}

/** Pure, and tells the version that it gives. */
export type Upcaster = (told: Told) => Told

const versions = {
  'box.created': 1,
  'box.renamed': 1,
  'box.resolved': 1,
  'box.removed': 1,
  'box.unknown': 1,
  'start.requested': 1,
  'start.stage': 1,
  'start.failed': 1,
  'stop.requested': 1,
  'stop.rung': 1,
  'restart.requested': 1,
  'restart.scheduled': 1,
  'pause.requested': 1,
  'pause.failed': 1,
  'resume.requested': 1,
  'resume.failed': 1,
  'remove.requested': 1,
  'remove.failed': 1,
  'vmm.spawned': 1,
  'vmm.ready': 1,
  'vmm.adopted': 1,
  'vmm.exited': 1,
  'vm.created': 1,
  'vm.booted': 1,
  'vm.paused': 1,
  'vm.resumed': 1,
  'guest.ready': 1,
  'guest.powered-off': 1,
  'guest.rebooted': 1,
  'guest.panicked': 1,
  'command.exited': 1,
  'host.rebooted': 1,
  'health.changed': 1,
  'incarnation.found': 1,
  'timer.fired': 1,
  'snapshot.requested': 1,
  'snapshot.written': 1,
  'snapshot.committed': 1,
  'snapshot.failed': 1,
  'snapshot.restored': 1,
  'snapshot.removal.requested': 1,
  'snapshot.removed': 1,
  'snapshot.removal.failed': 1,
  'exec.started': 1,
  'exec.ended': 1,
  'exec.lost': 1,
} as const satisfies Record<StreamEvent['type'], number>

/** Of this release. */
export const schema: Schema = { level: 1, versions, upcasters: {} }

/** An event that is newer than the schema, or unknown to it. */
export interface Unsupported {
  readonly type: string
  readonly version: number
  /** highest version of the type that is known; 0: none */
  readonly supported: number
}

/** Brings what is stored into today's shape; its event has no version then. */
export function upcast<Stored extends Told>(stored: Stored, schema: Schema): Stored | Unsupported {
  const { event } = stored
  // Nearly every record: written by this release, of a type that has never changed.
  if (event.v === undefined && isAsWritten(event.type, schema)) return stored
  const { versions, upcasters } = schema
  let told: Told = stored
  for (;;) {
    const { type, v: version = 1 } = told.event
    const upcaster = upcasters[`${type}@${version}`]
    if (upcaster === undefined) break
    told = upcaster(told)
  }
  const { v: version = 1, ...rest } = told.event
  const supported = Object.hasOwn(versions, rest.type) ? (versions[rest.type] ?? 0) : 0
  if (version !== supported) return { type: rest.type, version, supported }
  return { ...stored, ...told, event: rest }
}

/** Whether a record of this type, without a version, is in today's shape. */
export function isAsWritten(type: string, { versions }: Schema): boolean {
  return versions[type] === 1
}

export function isUnsupported(outcome: Told | Unsupported): outcome is Unsupported {
  return 'supported' in outcome
}

/** An event as it is to be stored. */
export function versioned<Event extends { readonly type: string }>(
  event: Event,
  { versions }: Schema,
): Event & { readonly v?: number } {
  const version = versions[event.type] ?? 1
  return version === 1 ? event : { ...event, v: version }
}
