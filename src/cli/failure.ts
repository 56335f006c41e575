import { BoxError, type ErrorCode, errorCodes } from '../index.ts'
import type { Output } from './output.ts'
import { plainJson } from './plain.ts'

/** What an error is told by, to people and to programs. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Anything that was thrown, under a code of the public table. */
export function failureOf(error: unknown): Failure {
  if (BoxError.is(error)) return { code: error.code, message: error.message, details: error.details }
  const message = error instanceof Error ? error.message : String(error)
  const systemCode = (error as { code?: unknown } | null)?.code
  return {
    code: 'ENGINE_FAILED',
    message,
    details: typeof systemCode === 'string' ? { systemCode } : {},
  }
}

export function exitCodeOf(error: unknown): number {
  return errorCodes[failureOf(error).code].exit
}

/** Says what went wrong on stderr: a line of JSON, or a line for people with what may help. */
export function tellFailure(output: Output, json: boolean, error: unknown, about?: string): void {
  const failure = failureOf(error)
  if (json) {
    const details = about === undefined ? failure.details : { target: about, ...failure.details }
    output.note(plainJson({ error: { ...failure, details } }))
    return
  }
  const { message, details } = failure
  output.note(`boxledger: ${about === undefined ? '' : `${about}: `}${message}`)
  for (const line of [...vmmMessages(details.vmm), ...lastLines(details.logTail)]) output.note(`  | ${line}`)
  const hint = hintOf(failure)
  if (hint !== undefined) output.note(`hint: ${hint}`)
}

/** The VMM's own words, outermost first; the message is the innermost of them. */
function vmmMessages(vmm: unknown): string[] {
  return Array.isArray(vmm) ? vmm.map(String) : []
}

/** Lines of the VMM's log that are shown with a failed start. */
const shownLines = 8

function lastLines(logTail: unknown): string[] {
  if (typeof logTail !== 'string') return []
  return logTail.trimEnd().split(/\r?\n/).slice(-shownLines)
}

function hintOf({ code, details }: Failure): string | undefined {
  switch (code) {
    case 'NOT_FOUND':
      return whatLists(details)
    case 'AMBIGUOUS_ID':
      return 'give more of the ID, or the name'
    case 'NAME_TAKEN':
      if ('snapshot' in details || 'image' in details) return 'choose another name, or remove what has it'
      return 'choose another name, or remove or rename the box that has it'
    case 'LEDGER_CORRUPT':
      // Of an export that is damaged the home knows nothing.
      return 'line' in details ? undefined : 'boxledger verify tells what is damaged'
    case 'GUEST_UNREACHABLE':
      return 'boxledger console BOX shows what the guest has printed'
    case 'ENGINE_LOCKED':
    case 'NO_OWNER':
      return 'the process that owns the home did not answer: let it go on, or end it'
    case 'INVALID_STATE':
      if (details.state === 'unknown')
        return 'if its VMM is surely dead: boxledger resolve BOX --dead, then go on'
      if (details.command === 'remove.requested') return 'stop it first, or use rm -f'
      return undefined
    default:
      return undefined
  }
}

/** Where to look for what was not found. A file, a record and a moment are in no list. */
function whatLists({ idOrName, snapshot, box, subscription }: Failure['details']): string | undefined {
  if (idOrName !== undefined) return 'boxledger ls -a lists all boxes'
  if (snapshot !== undefined) return `boxledger snapshot ls ${box} lists what was saved of it`
  return subscription === undefined ? undefined : 'boxledger subscriptions lists them'
}
