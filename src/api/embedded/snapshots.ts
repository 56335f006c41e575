import { type Engine, newId, snapshots, whileWanted } from '../../engine/index.ts'
import { type Head, snapshotsOf } from '../../machines/index.ts'
import type { CommandOptions } from '../box.ts'
import { check, shapes } from '../options.ts'
import { type BoxSnapshots, type SnapshotInfo, snapshotInfo } from '../snapshots.ts'

/** The snapshots of a box of the engine in this process. */
export class EmbeddedSnapshots implements BoxSnapshots {
  readonly #engine: Engine
  readonly #box: string
  readonly #head: () => Promise<Head>

  constructor(engine: Engine, box: string, head: () => Promise<Head>) {
    this.#engine = engine
    this.#box = box
    this.#head = head
  }

  async create(name: string = newId(), c: CommandOptions = {}): Promise<SnapshotInfo> {
    const wanted = check(shapes.name, name, 'name')
    // A caller that waits no more does not cut the guest off from what it was told of the snapshot.
    const { signal, ...given } = check(shapes.command, c, 'create') as CommandOptions
    return await whileWanted(signal, async () =>
      snapshotInfo(await snapshots.createSnapshot(this.#engine, this.#box, wanted, given)),
    )
  }

  async list(): Promise<SnapshotInfo[]> {
    const { kept } = snapshotsOf((await this.#head()).state.context)
    return kept.filter(({ leaving }) => !leaving).map(snapshotInfo)
  }

  async restore(name: string, c: CommandOptions = {}): Promise<void> {
    const wanted = check(shapes.name, name, 'name')
    const given = check(shapes.command, c, 'restore') as CommandOptions
    await whileWanted(given.signal, () => snapshots.restoreSnapshot(this.#engine, this.#box, wanted, given))
  }

  async remove(name: string, c: CommandOptions = {}): Promise<void> {
    const wanted = check(shapes.name, name, 'name')
    const given = check(shapes.command, c, 'remove') as CommandOptions
    await whileWanted(given.signal, () => snapshots.removeSnapshot(this.#engine, this.#box, wanted, given))
  }
}
