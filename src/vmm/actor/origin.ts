import { isTemplate, type Origin, snapshotsOf } from '../../machines/index.ts'
import { type DiskName, isDiskName } from '../images/own-disk.ts'
import { corrupt } from '../snapshots/damage.ts'
import { type Manifest, readManifest } from '../snapshots/manifest.ts'
import { checkParts, type Part } from '../snapshots/parts.ts'
import { snapshotFiles } from '../snapshots/place.ts'
import { type Choice, checkTemplate, chooseTemplate, chosenTemplate } from '../templates/fit.ts'
import { templateDir } from '../templates/place.ts'
import { templateImageOf } from '../templates/suitable.ts'
import type { Incarnation } from './incarnation.ts'
import { guestFor, programFor } from './needs.ts'

/** What a VM is made of, instead of being booted. */
export interface Saved extends Pick<Manifest, 'vmm' | 'ready' | 'config'> {
  /** where its files are */
  readonly dir: string
  /** copies of the own disks of its box, among them */
  readonly disks: readonly DiskName[]
  /** for people */
  readonly what: string
  readonly details: Readonly<Record<string, string>>
}

/** What this incarnation begins with, whole and unaltered: told before there is a VMM. Throws BoxError. */
export async function checkOrigin(box: Incarnation, signal: AbortSignal): Promise<void> {
  const { origin } = snapshotsOf(box.context)
  if (origin === null || isTemplate(origin)) return
  const { dir } = snapshotFiles(box.input.home, origin.box, origin.name)
  const { files } = await readManifest(dir, origin)
  await checkParts(dir, (what, cause) => corrupt(origin, what, cause), files, signal)
}

/** Whether it begins with a template; one that does not fit, or is damaged, is no reason not to start. */
export async function chooseOrigin(box: Incarnation, signal: AbortSignal): Promise<Choice> {
  const { spec } = box.context
  const { origin, boots } = snapshotsOf(box.context)
  const image = templateImageOf(spec)
  if (origin !== null || boots === true || image === undefined) return {}
  const guest = await guestFor(box, signal)
  const { command } = await programFor(box, signal)
  return await chooseTemplate({ home: box.input.home, image, size: spec, guest, command }, signal)
}

/**
 * Begins to hold the memory that this incarnation begins with, if it is a template's, against its hash, while its VMM comes up;
 * {@link proveOrigin} waits for the outcome, before anything is made of it.
 */
export function beginProof(box: Incarnation): void {
  const { origin } = snapshotsOf(box.context)
  if (origin === null || !isTemplate(origin)) return
  box.proof ??= checkTemplate(box.input.home, origin, box.context.spec, box.closed)
  box.proof.catch(() => {}) // told to whoever waits for it
}

/** Rejects with `SNAPSHOT_CORRUPT`. What is no template was looked at before there was a VMM. */
export async function proveOrigin(box: Incarnation): Promise<void> {
  beginProof(box)
  await box.proof
}

/** Throws BoxError. */
export async function readOrigin({ input, context }: Incarnation, origin: Origin): Promise<Saved> {
  if (!isTemplate(origin)) {
    const { dir } = snapshotFiles(input.home, origin.box, origin.name)
    const { box, name } = origin
    const { vmm, ready, config, files } = await readManifest(dir, origin)
    const details = { box, snapshot: name }
    const disks = disksIn(files)
    return { vmm, ready, config, dir, disks, what: `Snapshot ${name} of box ${box}`, details }
  }
  const { image, template } = origin
  const { vmm, config, files } = await chosenTemplate(input.home, origin, context.spec)
  const dir = templateDir(input.home, image, context.spec)
  const details = { image, template }
  const what = `Template ${template} of the image ${image}`
  return { vmm, ready: true, config, dir, disks: disksIn(files), what, details }
}

function disksIn(files: readonly Part[]): DiskName[] {
  return files.flatMap(({ name }) => (isDiskName(name) ? [name] : []))
}
