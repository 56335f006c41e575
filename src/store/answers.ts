import { BoxError } from '../machines/index.ts'
import type { Entry } from './entry.ts'

export function closedError(): BoxError {
  return new BoxError('ENGINE_CLOSED', 'The ledger is closed')
}

/** A new error for each caller: one that is shared would show the stack of somebody else. */
export function again(error: BoxError): BoxError {
  return new BoxError(error.code, error.message, { details: error.details, cause: error.cause })
}

export function commitUnknown({ append }: Entry, cause: unknown): BoxError {
  const { commandId } = append.meta
  return new BoxError(
    'COMMIT_UNKNOWN',
    'The write failed, and whether the transition is recorded is not known to its caller. Ask again with the same command ID',
    { details: { box: append.box, ...(commandId === undefined ? {} : { commandId }) }, cause },
  )
}
