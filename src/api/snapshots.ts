import type { KeptSnapshot } from '../machines/index.ts'
import type { CommandOptions } from './box.ts'

/** A box's memory and state, saved. */
export interface SnapshotInfo {
  readonly name: string
  /** when it was asked for, ISO time */
  readonly at: string
  /** of the box's record that asked for it */
  readonly version: number
  /** of all its files, in `bytes` */
  readonly bytes: number
  /** version of the VMM that has written it */
  readonly vmm: string
}

/** The snapshots of one box. */
export interface BoxSnapshots {
  /**
   * Saves a box that is up, with its own disks; it stands still meanwhile and goes on then, whatever comes of it. `name`:
   * default one that is made up. Rejects with `NAME_TAKEN`, `BUSY`, `INVALID_STATE`, `NO_SPACE`, or `UNSUPPORTED` where its
   * VMM cannot save it, or where it has a disk that can be written to and is not its own (`details.path`).
   */
  create(name?: string, c?: CommandOptions): Promise<SnapshotInfo>
  /** Oldest first. */
  list(): Promise<SnapshotInfo[]>
  /**
   * Starts a box that is down, and lets it go on from where it was saved; its clock is set, and what its own disks held
   * before is lost. Rejects with `NOT_FOUND`,
   * `INVALID_STATE` if the box is up, and as `start` does: with `SNAPSHOT_CORRUPT` where files are damaged, the box then
   * being `failed`.
   */
  restore(name: string, c?: CommandOptions): Promise<void>
  /** Resolves when nothing is left of it. */
  remove(name: string, c?: CommandOptions): Promise<void>
}

export type CloneOptions = {
  /** of the new box */
  readonly name?: string
  /** which snapshot of the box to begin with; default: one that is made for it, and removed */
  readonly snapshot?: string
} & CommandOptions

export function snapshotInfo({ name, at, version, bytes, vmm }: KeptSnapshot): SnapshotInfo {
  return { name, at: new Date(at).toISOString(), version, bytes, vmm }
}
