import { join } from 'node:path'
import {
  type BoxEvent,
  type BoxSpec,
  type BoxState,
  isRefusal,
  step,
  type Transition,
} from 'boxledger/machines'
import { type Append, type Committed, type Ledger, type OpenLedgerOptions, openLedger } from 'boxledger/store'
import { Level } from 'level'
import { withTempDir } from '../support/tmp.ts'

/** What the tests of the store share: homes that go away again, and real transitions of real boxes. */

const spec: BoxSpec = {
  cpus: 1,
  memoryMib: 128,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 10_000,
}

/** The home does not exist yet. */
export function withHome(body: (home: string) => Promise<void>): Promise<void> {
  return withTempDir(dir => body(join(dir, 'home')))
}

export function open(home: string, options: Partial<OpenLedgerOptions> = {}): Promise<Ledger> {
  return openLedger({ home, bootId: 'boot-a', engine: 'test/0', now: Date.now, ...options })
}

export async function withLedger(
  body: (ledger: Ledger, home: string) => Promise<void>,
  options: Partial<OpenLedgerOptions> = {},
): Promise<void> {
  await withHome(async home => {
    const ledger = await open(home, options)
    try {
      await body(ledger, home)
    } finally {
      await ledger.close()
    }
  })
}

export function transitionOf(
  state: BoxState | undefined,
  event: BoxEvent,
  at: number,
  version: number,
): Transition {
  const outcome = step(state, event, { at, version })
  if (isRefusal(outcome)) throw new Error(`${event.type} is refused in ${outcome.state}`)
  return outcome
}

export interface SubmitOptions {
  readonly commandId?: string
  readonly expectedVersion?: number
  readonly at?: number
}

/** The next transition of a box, computed from its head as an engine would. */
export function next(ledger: Ledger, box: string, event: BoxEvent, options: SubmitOptions = {}): Append {
  const head = ledger.head(box)
  const expectedVersion = options.expectedVersion ?? head?.version ?? 0
  const at = options.at ?? Date.now()
  return {
    box,
    expectedVersion,
    transition: transitionOf(head?.state, event, at, expectedVersion + 1),
    at,
    meta: options.commandId === undefined ? {} : { commandId: options.commandId },
  }
}

export function submit(
  ledger: Ledger,
  box: string,
  event: BoxEvent,
  options: SubmitOptions = {},
): Promise<Committed> {
  return ledger.append(next(ledger, box, event, options))
}

export function created(
  id: string,
  name: string | null = null,
  labels: Record<string, string> = {},
): BoxEvent {
  return { type: 'box.created', id, name, labels, spec }
}

export function create(
  ledger: Ledger,
  id: string,
  name: string | null = null,
  options: SubmitOptions = {},
): Promise<Committed> {
  const at = options.at ?? Date.now()
  return ledger.append({
    box: id,
    expectedVersion: options.expectedVersion ?? 0,
    transition: transitionOf(undefined, created(id, name), at, 1),
    at,
    meta: options.commandId === undefined ? {} : { commandId: options.commandId },
  })
}

/** Takes a box that is down out of the world. */
export async function remove(ledger: Ledger, box: string): Promise<void> {
  await submit(ledger, box, { type: 'remove.requested', force: false })
  const incarnation = ledger.head(box)?.state.context.incarnation ?? 0
  await submit(ledger, box, { type: 'box.removed', incarnation })
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** The error that a promise rejects with; fails if it does not. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<{ code: string; details: Record<string, unknown> }> {
  try {
    await promise
  } catch (error) {
    return error as { code: string; details: Record<string, unknown> }
  }
  throw new Error('The promise was expected to reject')
}

/** Works on the database of a home that nobody has open. */
export async function withDatabase(
  home: string,
  body: (db: Level<string, string>) => Promise<void>,
): Promise<void> {
  const db = new Level<string, string>(join(home, 'ledger'))
  await db.open()
  try {
    await body(db)
  } finally {
    await db.close()
  }
}

/** The first key that begins so. */
export async function keyOf(db: Level<string, string>, prefix: string): Promise<string> {
  const [key] = await db.keys({ gte: prefix, limit: 1 }).all()
  if (key === undefined || !key.startsWith(prefix)) throw new Error(`No key begins with ${prefix}`)
  return key
}

/** Replaces one character of a stored value by another. */
export async function damage(
  db: Level<string, string>,
  prefix: string,
  find: string,
  put: string,
): Promise<void> {
  const key = await keyOf(db, prefix)
  const value = (await db.get(key)) as string
  const n = value.indexOf(find)
  if (n < 0) throw new Error(`${key} does not hold ${find}`)
  await db.put(key, value.slice(0, n) + put + value.slice(n + find.length))
}
