import { cpus } from 'node:os'
import { BoxError, type Failure, type TemplatePlace } from '../../machines/index.ts'
import { startFailure } from '../actor/failures.ts'
import { probeVersion } from '../discovery/version.ts'
import { isOwnDirectory } from '../files/own-file.ts'
import type { Guest } from '../image.ts'
import { isDiskName } from '../images/own-disk.ts'
import { checkParts, checkSizes, type Proved } from '../snapshots/parts.ts'
import { changeOf } from './guest-files.ts'
import { damaged, readTemplate, type TemplateManifest } from './manifest.ts'
import { type TemplateSize, templateDir } from './place.ts'
import { hasItsDisks, obstacleIn } from './suitable.ts'

/** What a box would be started with. */
export interface Start {
  readonly home: string
  /** name of the image */
  readonly image: string
  readonly size: TemplateSize
  readonly guest: Guest
  /** the VMM program and its first arguments */
  readonly command: readonly string[]
}

export interface Choice {
  readonly template?: TemplatePlace
  /** there is one, and it is not used */
  readonly passedOver?: Failure
}

/**
 * What a start begins with: a template that fits, whose disks are what was written, or a boot. It does not fail for want of
 * one. Whether the rest of it is whole {@link checkTemplate} tells.
 */
export async function chooseTemplate(start: Start, signal: AbortSignal): Promise<Choice> {
  const { home, image, size } = start
  try {
    const manifest = await templateOf(home, image, size)
    if (manifest === undefined) return {}
    await assertFits(start, manifest, signal)
    await checkDisks(home, manifest, signal)
    return { template: { image, template: manifest.id } }
  } catch (error) {
    if (signal.aborted) throw error
    return { passedOver: startFailure(error, 'ENGINE_FAILED') }
  }
}

/** Undefined if there is none. Rejects with `SNAPSHOT_CORRUPT` or `FORMAT_UNSUPPORTED`. */
export async function templateOf(
  home: string,
  image: string,
  size: TemplateSize,
): Promise<TemplateManifest | undefined> {
  const dir = templateDir(home, image, size)
  return isOwnDirectory(dir) ? await readTemplate(dir, image, size) : undefined
}

/** `UNSUPPORTED`: it was made of something else than what is to be started. */
export async function assertFits(
  { guest, image, command }: Start,
  manifest: TemplateManifest,
  signal: AbortSignal,
): Promise<void> {
  const obstacle = obstacleIn(guest)
  if (obstacle !== undefined) throw unfit(image, obstacle)
  if (hasItsDisks(guest))
    throw unfit(image, 'the box has a disk of its own by now, which is not the one that its memory knows')
  const changed = await changeOf(guest, manifest.guest, signal)
  if (changed !== undefined) throw unfit(image, `${changed} has changed`)
  const program = await programWords(command, signal)
  if (program !== manifest.program) throw unfit(image, `the VMM here is ${program}, not ${manifest.program}`)
  const processor = processorHere()
  if (processor !== manifest.processor)
    throw unfit(image, `the processors here are ${processor}, not ${manifest.processor}`)
}

/** One that was chosen before. Rejects with `SNAPSHOT_CORRUPT` if it is not there any more. */
export async function chosenTemplate(
  home: string,
  { image, template }: TemplatePlace,
  size: TemplateSize,
): Promise<TemplateManifest> {
  const manifest = await templateOf(home, image, size)
  if (manifest?.id !== template) throw damaged(image, `${template} is gone`)
  return manifest
}

/** They are copied before there is a VMM, and may be large. */
async function checkDisks(home: string, manifest: TemplateManifest, signal: AbortSignal): Promise<void> {
  const dir = templateDir(home, manifest.image, manifest)
  const corrupt = (what: string) => damaged(manifest.image, what)
  await checkSizes(dir, corrupt, manifest.files)
  const disks = manifest.files.filter(({ name }) => isDiskName(name))
  await checkParts(dir, corrupt, disks, signal)
}

/** Rejects with `SNAPSHOT_CORRUPT` unless its memory and the state of its devices are what was written. Gives which files those are. */
export async function checkTemplate(
  home: string,
  place: TemplatePlace,
  size: TemplateSize,
  signal: AbortSignal,
): Promise<{ readonly manifest: TemplateManifest; readonly proved: Proved }> {
  const manifest = await chosenTemplate(home, place, size)
  const dir = templateDir(home, place.image, size)
  const saved = manifest.files.filter(({ name }) => !isDiskName(name))
  return { manifest, proved: await checkParts(dir, what => damaged(place.image, what), saved, signal) }
}

/** What a VMM program calls itself, and the flags that it is given; never a path, which may differ. */
export async function programWords(command: readonly string[], signal: AbortSignal): Promise<string> {
  const version = (await probeVersion(command, signal)).trim().split('\n')[0] ?? ''
  const flags = command.findIndex(word => word.startsWith('-'))
  return [version, ...(flags < 0 ? [] : command.slice(flags))].join(' ')
}

/** A guest that has found out what its processors can do goes on believing that. */
export function processorHere(): string {
  return cpus()[0]?.model ?? ''
}

function unfit(image: string, why: string): BoxError {
  return new BoxError('UNSUPPORTED', `The template of the image ${image} does not fit: ${why}`, {
    details: { image },
  })
}
