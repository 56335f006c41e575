import {
  type BoxError,
  type LedgerRecord,
  partsOf,
  publicStateOf,
  type RecordMeta,
  type Schema,
  type StreamHead,
  versioned,
} from '../machines/index.ts'
import { isCheckpoint } from './checkpoints.ts'
import { encodeBody, encodeFrame, noHash, seal, sha256 } from './codec.ts'
import type { Batch } from './database.ts'
import {
  bodyKey,
  checkpointKey,
  commandKey,
  executionsKey,
  frameKey,
  headKey,
  nameKey,
  removedKey,
} from './keys.ts'
import type { Append, Committed } from './ledger.ts'
import type { Tail } from './tail-file.ts'

/** A transition on its way to the disk. */
export interface Entry {
  readonly append: Append
  /** head that the transition was computed from */
  readonly before: StreamHead | undefined
  /** of the same box before this one, also those that are still on their way */
  readonly executions: number
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: BoxError) => void
}

/** What a record says about the ownership it was written in. */
export interface Author {
  readonly meta: Pick<RecordMeta, 'bootId' | 'epoch' | 'engine'>
  /** the same as JSON */
  readonly text: string
  readonly schema: Schema
}

export function authorOf({ bootId, epoch, engine }: Author['meta'], schema: Schema): Author {
  const meta = { bootId, epoch, engine }
  return { meta, text: JSON.stringify(meta), schema }
}

/** A transition with its place in the chain. */
export interface Placed extends Committed {
  readonly entry: Entry
  /** size of what was put into the batch, in characters */
  readonly size: number
}

/** Whether a stream is over: a box that is removed, an execution that is not running. */
export function isOver({ state }: Pick<StreamHead, 'state'>): boolean {
  return 'box' in state.context ? state.value !== 'running' : publicStateOf(state.value) === 'removed'
}

/** Name that a head keeps others from having. */
export function nameOf(head: Pick<StreamHead, 'state'> | undefined): string | null {
  if (head === undefined || 'box' in head.state.context || isOver(head)) return null
  return head.state.context.name
}

/** Gives a transition the place after `tail`, and puts all that belongs to it into one batch. */
export function place(entry: Entry, tail: Tail, at: string, author: Author, batch: Batch): Placed {
  const { append, before, executions } = entry
  const { box, transition } = append
  const { event, from, to, effects, timers, state } = transition
  const position = tail.position + 1
  const version = append.expectedVersion + 1
  const prevBody = before?.bodyHash ?? noHash
  const body = { box, version, prevBody, at, event, from, to, effects, timers }
  const stored = versioned(event, author.schema)
  const bodyText = encodeBody({ ...body, event: stored } as typeof body, append.meta, author.text)
  const bodyHash = sha256(bodyText)
  const frameText = encodeFrame({ position, prev: tail.hash, bodyHash, box, version })
  const hadExecutions = executions > 0 && to === 'removed'
  const head = {
    box,
    version,
    position,
    createdPosition: before?.createdPosition ?? position,
    updatedAt: append.at,
    lastEvent: event.type,
    bodyHash,
    ...(hadExecutions ? { executions } : {}),
    state,
  } as StreamHead
  const headText = seal(JSON.stringify(head))

  batch.put(frameKey(position), frameText)
  batch.put(bodyKey(box, version, position), bodyText)
  if (isOver(head)) batch.del(headKey(box)).put(removedKey(box), headText)
  else batch.put(headKey(box), headText)
  if (isCheckpoint(version)) batch.put(checkpointKey(box, version), headText)
  const nameBefore = nameOf(before)
  const name = nameOf(head)
  if (nameBefore !== name) {
    if (nameBefore !== null) batch.del(nameKey(nameBefore))
    if (name !== null) batch.put(nameKey(name), seal(JSON.stringify({ box })))
  }
  if (event.type === 'exec.started') batch.put(executionsKey(event.box), seal(String(executions + 1)))
  else if (hadExecutions) batch.del(executionsKey(box))
  const { commandId } = append.meta
  if (commandId !== undefined) batch.put(commandKey(commandId), seal(JSON.stringify({ box, position })))

  return {
    entry,
    size: frameText.length + bodyText.length + headText.length,
    record: {
      position,
      ...partsOf(box),
      version,
      at,
      event,
      from,
      to,
      effects,
      timers,
      meta: { ...append.meta, ...author.meta },
      prev: tail.hash,
      prevBody,
      hash: sha256(frameText),
    } as LedgerRecord,
    head,
  }
}
