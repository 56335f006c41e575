import { type BoxError, isTemplate, type Origin, snapshotsOf } from '../../machines/index.ts'
import { type DiskName, isDiskName } from '../images/own-disk.ts'
import { corrupt } from '../snapshots/damage.ts'
import { linkedParts } from '../snapshots/link.ts'
import { type Manifest, readManifest } from '../snapshots/manifest.ts'
import { checkLinked, checkParts, type Part, type Proved } from '../snapshots/parts.ts'
import { snapshotFiles } from '../snapshots/place.ts'
import { type Choice, checkTemplate, chooseTemplate, chosenTemplate } from '../templates/fit.ts'
import { damaged } from '../templates/manifest.ts'
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
  readonly files: readonly Part[]
  /** for people */
  readonly what: string
  readonly details: Readonly<Record<string, string>>
  /** `SNAPSHOT_CORRUPT` */
  readonly damaged: (what: string, cause?: unknown) => BoxError
}

/** What this incarnation begins with, whole and unaltered: told before there is a VMM. Throws BoxError. */
export async function checkOrigin(box: Incarnation, signal: AbortSignal): Promise<void> {
  const { origin } = snapshotsOf(box.context)
  if (origin === null || isTemplate(origin)) return
  const { dir } = snapshotFiles(box.input.home, origin.box, origin.name)
  const { files } = await readManifest(dir, origin)
  const proved = await checkParts(dir, (what, cause) => corrupt(origin, what, cause), files, signal)
  box.proof = Promise.resolve(proved)
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
  const check = () => checkTemplate(box.input.home, origin, box.context.spec, box.closed)
  box.proof ??= check().then(({ proved }) => proved)
  box.proof.catch(() => {}) // told to whoever waits for it
}

/** Rejects with `SNAPSHOT_CORRUPT`. What is no template was looked at before there was a VMM, if by this engine. */
export async function proveOrigin(box: Incarnation): Promise<Proved | undefined> {
  beginProof(box)
  return await box.proof
}

/** What was linked may be something else than what was proved, if that was replaced meanwhile. Rejects with `SNAPSHOT_CORRUPT`. */
export async function proveLinked(
  dir: string,
  { files, damaged }: Saved,
  proved: Proved | undefined,
  signal: AbortSignal,
): Promise<void> {
  const linked = files.filter(({ name }) => linkedParts.some(part => part === name))
  await checkLinked(dir, damaged, linked, proved, signal)
}

/** Throws BoxError. */
export async function readOrigin({ input, context }: Incarnation, origin: Origin): Promise<Saved> {
  if (!isTemplate(origin)) {
    const { dir } = snapshotFiles(input.home, origin.box, origin.name)
    const { box, name } = origin
    const { vmm, ready, config, files } = await readManifest(dir, origin)
    const details = { box, snapshot: name }
    const disks = disksIn(files)
    const what = `Snapshot ${name} of box ${box}`
    const damaged: Saved['damaged'] = (...of) => corrupt(origin, ...of)
    return { vmm, ready, config, dir, files, disks, what, details, damaged }
  }
  const { image, template } = origin
  const { vmm, config, files } = await chosenTemplate(input.home, origin, context.spec)
  const dir = templateDir(input.home, image, context.spec)
  const details = { image, template }
  const what = `Template ${template} of the image ${image}`
  return {
    ...{ vmm, ready: true, config, dir, files, disks: disksIn(files), what, details },
    damaged: (...of) => damaged(image, ...of),
  }
}

function disksIn(files: readonly Part[]): DiskName[] {
  return files.flatMap(({ name }) => (isDiskName(name) ? [name] : []))
}
