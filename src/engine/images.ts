import { join } from 'node:path'
import { BoxError, type ImageSpec, safeIdPattern } from '../machines/index.ts'
import {
  addImage,
  type FoundImage,
  type FoundTemplate,
  ImageError,
  listImages,
  listTemplates,
  type RootSpec,
  readManifest,
  removeImage,
  removeTemplates,
} from '../vmm/index.ts'
import type { Engine } from './engine.ts'
import { asBoxErrors } from './image-errors.ts'
import { inertError } from './tail.ts'

/** An image that boxes of a home can be made of. */
export interface ImageInfo extends FoundImage {
  /** IDs of the boxes that are made of it, as far as they are not removed */
  readonly boxes: readonly string[]
  /** what its boxes begin with, instead of a boot; absent if there are none */
  readonly templates?: readonly FoundTemplate[]
}

export interface AddOptions {
  /** the same one again finds its work done */
  readonly request?: string | undefined
  readonly signal: AbortSignal
}

/** How long it may take to find out which VMM there is, in `ms`. */
const longestLookMs = 30_000

const dirOf = ({ home }: Engine) => join(home, 'images')

/** The built-in image first, the others by name. */
export function list(engine: Engine): Promise<ImageInfo[]> {
  return asBoxErrors(async () => {
    const listed: ImageInfo[] = []
    for (const image of await listImages(dirOf(engine))) {
      const templates = await templatesOf(engine, image.name)
      const boxes = usersOf(engine, image.name)
      listed.push({ ...image, boxes, ...(templates.length === 0 ? {} : { templates }) })
    }
    return listed
  })
}

function templatesOf({ home, vmm }: Engine, image: string): Promise<FoundTemplate[]> {
  return listTemplates({ home, image, vmm, signal: AbortSignal.timeout(longestLookMs) })
}

export async function add(
  engine: Engine,
  name: string,
  spec: ImageSpec | RootSpec,
  { request, signal }: AddOptions,
): Promise<void> {
  if (engine.isInert) throw inertError(engine.home)
  const { boundary, world } = engine
  const options = { dir: dirOf(engine), name, spec, request, now: world.clock.now(), boundary, signal }
  await asBoxErrors(() => addImage(options))
}

/** Refused with `INVALID_STATE` while a box that is not removed is made of it, or one that cannot be read may be. */
export async function remove(engine: Engine, name: string): Promise<void> {
  if (engine.isInert) throw inertError(engine.home)
  const boxes = usersOf(engine, name)
  if (boxes.length > 0)
    throw new BoxError('INVALID_STATE', `The image ${name} is used by ${boxes.join(', ')}`, {
      details: { image: name, boxes },
    })
  const { parked } = engine.ledger
  const unread = [...parked].flatMap(([id, { removed }]) =>
    // An execution is made of no image.
    removed || !safeIdPattern.test(id) || engine.ledger.head(id) !== undefined ? [] : [id],
  )
  if (unread.length > 0)
    throw new BoxError(
      'INVALID_STATE',
      `Boxes whose records are damaged may use the image ${name}: ${unread.join(', ')}`,
      { details: { image: name, boxes: unread } },
    )
  await asBoxErrors(async () => {
    await removeImage(dirOf(engine), name, engine.boundary)
    await removeTemplates(engine.home, name, engine.boundary)
  })
}

/** Whether there is an agent in the guest of an image; undefined while there is no image of that name that is sound. */
export async function hasAgentIn(home: string, name: string): Promise<boolean | undefined> {
  const manifest = await readManifest(join(home, 'images'), name).catch((error: unknown) => {
    if (error instanceof ImageError) return undefined // damaged, which a start tells
    throw error
  })
  return manifest === undefined ? undefined : manifest.kind === 'root' || manifest.agent
}

function usersOf({ ledger }: Engine, name: string): string[] {
  return [...ledger.heads()]
    .filter(({ state }) => (state.context.spec.image ?? 'builtin') === name)
    .map(({ box }) => box)
}
