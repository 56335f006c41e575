import type * as v from 'valibot'
import type { CommandOptions } from '../box.ts'
import { check, shapes } from '../options.ts'
import type { BoxSnapshots, SnapshotInfo } from '../snapshots.ts'
import { partCommand } from './arguments.ts'

type Call = <T>(verb: string, args: readonly unknown[], signal?: AbortSignal) => Promise<T>

/** The snapshots of a box of the home's owner. */
export class RemoteSnapshots implements BoxSnapshots {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  async create(name?: string, c?: CommandOptions): Promise<SnapshotInfo> {
    if (name !== undefined) check(shapes.name, name, 'name')
    return await this.#command('snapshotCreate', name ?? null, c)
  }

  async list(): Promise<SnapshotInfo[]> {
    return await this.#call('snapshotList', [])
  }

  async restore(name: string, c?: CommandOptions): Promise<void> {
    await this.#command('snapshotRestore', check(shapes.name, name, 'name'), c)
  }

  async remove(name: string, c?: CommandOptions): Promise<void> {
    await this.#command('snapshotRemove', check(shapes.name, name, 'name'), c)
  }

  async #command<T>(verb: string, name: string | null, c: unknown): Promise<T> {
    const shape: v.GenericSchema = shapes.command
    const { options, signal } = partCommand(shape, c, verb)
    return await this.#call<T>(verb, [name, options], signal)
  }
}
