import { BoxError, type Head, snapshotsOf } from '../machines/index.ts'
import {
  checkTemplate,
  chooseTemplate,
  type FoundTemplate,
  foundOf,
  keepTemplate,
  obstacleIn,
  removeTemplates,
  settleGuest,
  specOf,
  startOf,
  type TemplateSize,
  type TemplateStart,
} from '../vmm/index.ts'
import { ask, isGone, stateOf } from './ask.ts'
import type { Engine } from './engine.ts'
import { asBoxErrors } from './image-errors.ts'
import { create, followStart, remove } from './lifecycle.ts'
import { createSnapshot } from './snapshots.ts'
import { inertError } from './tail.ts'
import { unlessAborted } from './waiting.ts'

export type TemplateInfo = FoundTemplate

/** Who asks for what a template needs; nobody outside. */
const actor = 'engine'
const snapshot = 'template'

/**
 * How long a guest that has just become ready is let come to rest, in `ms`: what it still has to do, and its VMM to notice,
 * each of its boxes would have to do again.
 */
const restMs = 1_200

/**
 * Makes a template of an image for one size of box, unless there is one that fits and is whole: a box of the image boots,
 * is saved, and goes. It is a box like others, with a label that says what it is for, and ends with its owner.
 */
export async function make(
  engine: Engine,
  image: string,
  size: TemplateSize,
  signal: AbortSignal,
): Promise<FoundTemplate> {
  using _alive = engine.waiting.hold()
  const { home, vmm, onProgress } = engine
  if (engine.isInert) throw inertError(home)
  const start = await asBoxErrors(() => startOf({ home, image, size, vmm, onProgress, signal }))
  const obstacle = obstacleIn(start.guest)
  if (obstacle !== undefined)
    throw new BoxError('UNSUPPORTED', `There can be no template of the image ${image}: ${obstacle}`, {
      details: { image },
    })
  return await asBoxErrors(
    async () => (await usable(start, signal)) ?? (await makeAnew(engine, start, signal)),
  )
}

async function usable(start: TemplateStart, signal: AbortSignal): Promise<FoundTemplate | undefined> {
  const { template } = await chooseTemplate(start, signal)
  if (template === undefined) return undefined
  try {
    const { manifest } = await checkTemplate(start.home, template, start.size, signal)
    return foundOf(manifest)
  } catch (error) {
    if (BoxError.is(error, 'SNAPSHOT_CORRUPT')) return undefined
    throw error
  }
}

async function makeAnew(engine: Engine, start: TemplateStart, signal: AbortSignal): Promise<FoundTemplate> {
  const { image, size } = start
  const { box } = await create(
    engine,
    { labels: { 'boxledger.template': image }, spec: specOf(image, size), makes: image },
    { actor },
  )
  try {
    const c = { actor, signal }
    const boot = () => ({ type: 'start.requested', boots: true }) as const
    await followStart(engine, await ask(engine, box, 'start.requested', boot, c), signal)
    await settle(engine, box, signal)
    await rest(engine, signal)
    await createSnapshot(engine, box, snapshot, c)
    const { boundary, world } = engine
    const id = world.boxId()
    const now = world.clock.now()
    return foundOf(await keepTemplate({ ...start, id, box, snapshot, now, boundary, signal }))
  } finally {
    await drop(engine, box)
  }
}

/** Over a session of its own, which is over before the guest is saved: who goes on with the guest has none. */
async function settle({ ledger, hands, home }: Engine, box: string, signal: AbortSignal): Promise<void> {
  const context = ledger.head(box)?.state.context
  if (context === undefined) return
  const { incarnation, spec } = context
  const channel = await hands.reach({ home, box, incarnation, spec }, signal)
  try {
    await settleGuest(channel, box, signal)
  } finally {
    channel.close()
  }
}

function rest({ world: { clock } }: Engine, signal: AbortSignal): Promise<void> {
  return unlessAborted(new Promise(resolve => clock.setTimeout(() => resolve(undefined), restMs)), signal)
}

/** Boxes of the image boot again; one that is being started of a template has its files, or boots. */
export async function removeAll({ home, isInert, boundary }: Engine, image: string): Promise<void> {
  if (isInert) throw inertError(home)
  await asBoxErrors(() => removeTemplates(home, image, boundary))
}

/** Removes the boxes that an earlier owner has made for templates, and with them what is left of those. */
export function dropLeftMakers(engine: Engine): void {
  for (const head of engine.ledger.heads()) if (isMaker(head) && !isGone(head)) void drop(engine, head.box)
}

const isMaker = ({ state }: Head) => snapshotsOf(state.context).makes !== undefined

/** One that cannot be removed now is seen as a box, and removed by whoever settles what became of it. */
async function drop(engine: Engine, box: string): Promise<void> {
  try {
    const head = engine.ledger.head(box)
    if (head === undefined || stateOf(head) === 'removed') return
    await remove(engine, box, { force: true, actor })
  } catch (error) {
    if (!BoxError.is(error)) throw error
  }
}
