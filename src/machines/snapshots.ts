import type { BoxContext } from './state.ts'

/** A snapshot that a box has. */
export interface KeptSnapshot {
  readonly name: string
  /** when it was asked for, in `ms since 1970` */
  readonly at: number
  /** of the box's record that asked for it */
  readonly version: number
  /** of all its files, in `bytes` */
  readonly bytes: number
  /** what the VMM that has written it calls its version */
  readonly vmm: string
  /** it was made for a clone, and goes when nobody begins with it any more */
  readonly forClone?: true
  /** its files are being deleted */
  readonly leaving?: true
}

/** A snapshot that is being made. */
export interface SnapshotIntent {
  readonly name: string
  /** in `ms since 1970` */
  readonly at: number
  /** of the record that asked for it */
  readonly version: number
  /** the VM runs otherwise, and is to run again */
  readonly holds: boolean
  /** it is made for a clone */
  readonly forClone?: true
  /** of the disks that are saved with it, as it was asked for, in `MiB` */
  readonly disksMib?: number
  /** the VMM has written its files */
  readonly written: boolean
}

/** Where a snapshot is. */
export interface SnapshotPlace {
  /** the box that it was made of */
  readonly box: string
  readonly name: string
}

/** A template, which is the snapshot of an image that has booted. */
export interface TemplatePlace {
  /** name of the image */
  readonly image: string
  /** ID of the template: one that is made again is another one */
  readonly template: string
}

/** What a VM can begin with, instead of a boot. */
export type Origin = SnapshotPlace | TemplatePlace

export function isTemplate(origin: Origin | null): origin is TemplatePlace {
  return origin !== null && 'template' in origin
}

/** What a box knows of snapshots. */
export interface SnapshotsState {
  /** oldest first */
  readonly kept: readonly KeptSnapshot[]
  readonly saving: SnapshotIntent | null
  /** what the incarnation begins with, instead of a boot; of a clone that was never started: what its first one will */
  readonly origin: Origin | null
  /** it is to boot, even where there is a template; of one that began with a template: the next one is */
  readonly boots?: true
  /** name of the image that the box is there to make a template of; it goes when that is done */
  readonly makes?: string
}

const none: SnapshotsState = { kept: [], saving: null, origin: null }

/** Heads of boxes that have nothing to do with snapshots do not speak of them. */
export function snapshotsOf({ snapshots }: Pick<BoxContext, 'snapshots'>): SnapshotsState {
  return snapshots ?? none
}

/** The same, to be put into a state. */
export function withSnapshots(
  context: Pick<BoxContext, 'snapshots'>,
  changed: Partial<SnapshotsState>,
): Pick<BoxContext, 'snapshots'> {
  return { snapshots: { ...snapshotsOf(context), ...changed } }
}

/** How many snapshots a box may have: its head holds what they are. */
export const mostSnapshots = 64
