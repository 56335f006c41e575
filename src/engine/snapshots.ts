import {
  BoxError,
  type Head,
  type KeptSnapshot,
  type LedgerRecord,
  mostSnapshots,
  snapshotsOf,
} from '../machines/index.ts'
import { mayHaveSecrets, readSecrets } from '../vmm/index.ts'
import { ask, assertKnown, type CommandOptions, failureOf, isGone, stateOf, stopped } from './ask.ts'
import type { Engine } from './engine.ts'
import { create, followStart, remove, start } from './lifecycle.ts'
import { notFound } from './lookup.ts'
import { assertSame, repeatedOf } from './repeated.ts'

/** Resolves when the snapshot is on the disk, durably. */
export async function createSnapshot(
  engine: Engine,
  box: string,
  wanted: string,
  c: CommandOptions,
): Promise<KeptSnapshot> {
  return await saveHeld(engine, box, { name: wanted }, c)
}

interface Wanted {
  readonly name: string
  readonly forClone?: true
}

async function saveHeld(
  engine: Engine,
  box: string,
  wanted: Wanted,
  c: CommandOptions,
): Promise<KeptSnapshot> {
  using _alive = engine.waiting.hold()
  const release = await engine.channels.hold(box)
  try {
    return await save(engine, box, wanted, c)
  } finally {
    release()
  }
}

async function save(engine: Engine, box: string, snapshot: Wanted, c: CommandOptions): Promise<KeptSnapshot> {
  const wanted = snapshot.name
  const { head, record } = await ask(
    engine,
    box,
    'snapshot.requested',
    head => {
      const { kept, saving } = snapshotsOf(head.state.context)
      if (kept.some(({ name }) => name === wanted)) throw nameTaken(box, wanted)
      if (saving !== null && isUp(head)) throw busy(box, saving.name)
      if (kept.length >= mostSnapshots) throw tooMany(box)
      return { type: 'snapshot.requested', ...snapshot }
    },
    c,
  )
  const name = record?.event.type === 'snapshot.requested' ? record.event.name : wanted
  const before = record && (await outcomeOf(engine, record, name))
  if (before !== undefined) return before
  const version = record?.version ?? head.version
  let failed: BoxError | undefined
  return await engine.waiting.for(
    head,
    (now, record) => {
      const { kept, saving } = snapshotsOf(now.state.context)
      const found = kept.find(each => each.version === version)
      if (found !== undefined) return found
      if (record?.event.type === 'snapshot.failed' && record.event.name === name)
        failed = failureOf(record.event)
      // Nobody is told before the VM runs again.
      if (now.state.effects.releaseVm !== undefined) return undefined
      if (failed !== undefined) throw failed
      if (saving?.version === version && isUp(now)) return undefined
      assertKnown(now, 'saved')
      if (!isUp(now)) throw stopped(now)
      throw new BoxError('VMM_TIMEOUT', `Snapshot ${name} was not made: the VMM did not answer in time`, {
        details: { box, snapshot: name },
      })
    },
    c.signal,
  )
}

/** What came of a snapshot that was asked for before, if that is known: it may have been removed since. */
async function outcomeOf(
  engine: Engine,
  { box, version, at }: LedgerRecord,
  name: string,
): Promise<KeptSnapshot | undefined> {
  for await (const { event, version: later } of engine.ledger.history(box)) {
    if (later <= version || !('name' in event) || event.name !== name) continue
    if (event.type === 'snapshot.failed') throw failureOf(event)
    if (event.type === 'snapshot.committed')
      return { name, at: Date.parse(at), version, bytes: event.bytes, vmm: event.vmm }
  }
  return undefined
}

/** Starts a box with a snapshot of its own instead of a boot; resolves when it is ready. */
export async function restoreSnapshot(
  engine: Engine,
  box: string,
  snapshot: string,
  c: CommandOptions,
): Promise<void> {
  const asked = await ask(
    engine,
    box,
    'start.requested',
    head => {
      assertThere(head, snapshot)
      if (isUp(head)) throw isStillUp(head, snapshot)
      return { type: 'start.requested', snapshot }
    },
    c,
  )
  await followStart(engine, asked, c.signal)
}

/** Resolves when nothing is left of it. */
export async function removeSnapshot(
  engine: Engine,
  box: string,
  wanted: string,
  c: CommandOptions,
): Promise<void> {
  const { head } = await ask(
    engine,
    box,
    'snapshot.removal.requested',
    head => {
      const entry = assertHas(head, wanted)
      return entry.leaving ? undefined : { type: 'snapshot.removal.requested', name: wanted }
    },
    c,
  )
  await engine.waiting.for(
    head,
    (now, record) => {
      if (isGone(now) || snapshotsOf(now.state.context).kept.every(({ name }) => name !== wanted)) return true
      if (record?.event.type === 'snapshot.removal.failed' && record.event.name === wanted)
        throw failureOf(record.event)
      return undefined
    },
    c.signal,
  )
}

export interface CloneWanted {
  /** of the new box */
  readonly name?: string | undefined
  /** of the box's; absent: one is made for it, and removed */
  readonly snapshot?: string | undefined
}

/**
 * A new box that goes on from a snapshot of another one; resolves when it is ready. One that does not come up is removed
 * again.
 */
export async function clone(
  engine: Engine,
  box: string,
  { name, snapshot }: CloneWanted,
  c: CommandOptions,
): Promise<Head> {
  const repeated = await repeatedOf(engine, c.commandId)
  if (repeated !== undefined) {
    assertSame(repeated.record, 'box.created')
    const head = repeated.head ?? (await engine.ledger.removedHead(repeated.record.box))
    if (head === undefined) throw notFound(repeated.record.box)
    if (!isGone(head)) await start(engine, head.box, {})
    return head
  }
  const { expectedVersion, ...meta } = c
  const actor = c.actor === undefined ? {} : { actor: c.actor }
  const source = engine.ledger.head(box)
  if (source === undefined) {
    engine.assertSound(box)
    throw notFound(box)
  }
  // The command is to a box that is not there yet; the version is that of the one that is asked.
  if (expectedVersion !== undefined) await engine.submit(box, () => undefined, { expectedVersion })
  if (snapshot !== undefined) assertThere(source, snapshot)
  const made = snapshot ?? (await makeForClone(engine, box, actor))
  try {
    return await cloneOf(engine, source, { name, snapshot: made }, meta)
  } finally {
    // The source may be gone by now, with its snapshots.
    if (snapshot === undefined) await removeSnapshot(engine, box, made, actor).catch(ignoreRefusal)
  }
}

async function makeForClone(engine: Engine, box: string, c: CommandOptions): Promise<string> {
  const name = `clone-${engine.world.boxId()}`
  engine.cloneSnapshots.claim({ box, name })
  return (await saveHeld(engine, box, { name, forClone: true }, c)).name
}

async function cloneOf(
  engine: Engine,
  { box, state: { context } }: Head,
  { name, snapshot }: CloneWanted & { readonly snapshot: string },
  c: CommandOptions,
): Promise<Head> {
  const { labels, spec } = context
  const secrets = mayHaveSecrets(engine.home, box) ? await readSecrets(engine.home, box) : {}
  const made = await create(
    engine,
    {
      ...(name === undefined ? {} : { name }),
      labels,
      spec,
      ...(Object.keys(secrets).length === 0 ? {} : { secrets }),
      origin: { box, name: snapshot },
    },
    c,
  )
  try {
    await start(engine, made.box, {})
    return engine.ledger.head(made.box) ?? made
  } catch (error) {
    await remove(engine, made.box, { force: true }).catch(ignoreRefusal)
    throw error
  }
}

function ignoreRefusal(error: unknown): void {
  if (!BoxError.is(error)) throw error
}

/** `NOT_FOUND` */
function assertHas({ box, state: { context } }: Head, snapshot: string): KeptSnapshot {
  const entry = snapshotsOf(context).kept.find(({ name }) => name === snapshot)
  if (entry === undefined) throw noSnapshot(box, snapshot)
  return entry
}

/** `NOT_FOUND`, also of one that is being deleted */
function assertThere(head: Head, snapshot: string): void {
  if (assertHas(head, snapshot).leaving) throw noSnapshot(head.box, snapshot)
}

function noSnapshot(box: string, snapshot: string): BoxError {
  return new BoxError('NOT_FOUND', `Box ${box} has no snapshot ${snapshot}`, { details: { box, snapshot } })
}

function isUp(head: Head): boolean {
  return stateOf(head) === 'running' || stateOf(head) === 'paused'
}

function isStillUp(head: Head, snapshot: string): BoxError {
  const { box } = head
  const state = stateOf(head)
  return new BoxError(
    'INVALID_STATE',
    `Box ${box} is ${state}. Stop it, so that it can go on from its snapshot ${snapshot}.`,
    { details: { box, snapshot, state } },
  )
}

function nameTaken(box: string, snapshot: string): BoxError {
  return new BoxError('NAME_TAKEN', `Box ${box} has a snapshot ${snapshot} already`, {
    details: { box, snapshot },
  })
}

function busy(box: string, snapshot: string): BoxError {
  return new BoxError('BUSY', `Snapshot ${snapshot} of box ${box} is being made`, {
    details: { box, snapshot },
  })
}

function tooMany(box: string): BoxError {
  return new BoxError(
    'INVALID_STATE',
    `Box ${box} has ${mostSnapshots} snapshots, and may not have more. Remove one.`,
    { details: { box } },
  )
}
