import { snapshotsOf } from '../../machines/index.ts'
import { readManifest } from '../snapshots/manifest.ts'
import { checkParts } from '../snapshots/parts.ts'
import { snapshotFiles } from '../snapshots/place.ts'
import type { Incarnation } from './incarnation.ts'

/** What this incarnation begins with, whole and unaltered: told before there is a VMM. Throws BoxError. */
export async function checkOrigin(box: Incarnation, signal: AbortSignal): Promise<void> {
  const { origin } = snapshotsOf(box.context)
  if (origin === null) return
  const { dir } = snapshotFiles(box.input.home, origin.box, origin.name)
  const { files } = await readManifest(dir, origin)
  await checkParts(dir, origin, files, signal)
}
