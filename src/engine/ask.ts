import {
  type BoxCommand,
  BoxError,
  type Failure,
  type Head,
  isErrorCode,
  type LedgerRecord,
  type PublicState,
  publicStateOf,
} from '../machines/index.ts'
import type { Engine } from './engine.ts'
import { tagOf } from './info.ts'
import { notFound } from './lookup.ts'
import { assertSame, isOver, repeatedOf } from './repeated.ts'
import type { CommandMeta } from './turns.ts'

/** A command's idempotency, and for how long its caller waits. */
export interface CommandOptions extends CommandMeta {
  readonly signal?: AbortSignal
}

export const stateOf = (head: Head): PublicState => publicStateOf(head.state.value)
/** Down, with no restart left. */
export const isDown = (head: Head) =>
  tagOf({ state: stateOf(head) }) === 'down' && !head.state.context.restart.due
export const isGone = (head: Head) => stateOf(head) === 'removed'

export interface Asked {
  readonly head: Head
  /** the same command was given before, and all that it was about is over */
  readonly done: boolean
  /** the record of that */
  readonly record?: LedgerRecord
}

/**
 * Submits a command of a type to a box that must exist; one that was carried out before is not carried out again.
 * Rejects with `INVALID_ARGUMENT` if its ID is that of another command.
 */
export async function ask<Type extends BoxCommand['type']>(
  engine: Engine,
  box: string,
  type: Type,
  decide: (head: Head) => Extract<BoxCommand, { readonly type: Type }> | undefined,
  c: CommandOptions,
): Promise<Asked> {
  const repeated = await repeatedOf(engine, c.commandId)
  if (repeated !== undefined) {
    assertSame(repeated.record, type, box)
    const head = repeated.head ?? (await engine.ledger.removedHead(box))
    if (head !== undefined) return { head, done: isOver(repeated), record: repeated.record }
  }
  const head = await engine.submit(
    box,
    head => {
      if (head === undefined) throw notFound(box)
      return decide(head)
    },
    c,
  )
  if (head === undefined) throw notFound(box)
  return { head, done: false }
}

export function stopped(head: Head): BoxError {
  return new BoxError('ABORTED', `The box was stopped meanwhile: it is ${stateOf(head)}`, {
    details: { box: head.box, state: stateOf(head) },
  })
}

export function failureOf({ code, message, details = {} }: Failure): BoxError {
  return new BoxError(isErrorCode(code) ? code : 'ENGINE_FAILED', message, { details })
}

/** Nobody can tell for now what becomes of a command: it is settled, and recorded, when the VMM can be looked at again. */
export function assertKnown(head: Head, what: string): void {
  if (stateOf(head) !== 'unknown') return
  const { unknownReason } = head.state.context
  throw new BoxError('VMM_TIMEOUT', `The box cannot be looked at, and so not be ${what}: ${unknownReason}`, {
    details: { box: head.box },
  })
}
