import type { Box } from '../../api/box.ts'
import type { Random } from '../random.ts'

/** A command about snapshots, given again as it is where its answer is lost. */
export interface SnapshotCommand {
  readonly what: string
  readonly act: (box: Box, c: { readonly commandId?: string }) => Promise<unknown>
}

/** What somebody wants of a box's snapshots, of which there are a few, by names that come again. */
export function snapshotCommand(
  random: Random,
  { isUp, mayClone }: { readonly isUp: boolean; readonly mayClone: boolean },
): SnapshotCommand {
  const name = `saved-${random.below(3)}`
  const draw = random.below(10)
  // What is up cannot be restored, and what is down not be saved: that is asked for too.
  if (draw < (isUp ? 5 : 1)) return { what: `save ${name}`, act: (box, c) => box.snapshots.create(name, c) }
  if (draw < 6) return { what: `restore ${name}`, act: (box, c) => box.snapshots.restore(name, c) }
  if (draw < 8 || !mayClone) return { what: `remove ${name}`, act: (box, c) => box.snapshots.remove(name, c) }
  const snapshot = isUp && random.chance(0.7) ? {} : { snapshot: name }
  return { what: 'clone', act: (box, c) => box.clone({ ...snapshot, ...c }) }
}
