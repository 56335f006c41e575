import { BoxError, type Failure, isErrorCode } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { ImageError } from '../images/image-error.ts'

/** A failed create or boot, with the VMM's own messages outermost first. */
export function bootFailure(error: unknown): Failure {
  const messages = error instanceof ApiError ? error.messages : []
  const message = messages.at(-1) ?? messageOf(error)
  return { code: 'BOOT_FAILED', message, details: { vmm: messages.length > 0 ? [...messages] : [message] } }
}

/** A call that did not succeed, told by whether its outcome is known. */
export function callFailure(error: unknown): Failure {
  const message = messageOf(error)
  if (!(error instanceof ApiError)) return { code: 'VMM_GONE', message }
  const details = { vmm: [...error.messages] }
  switch (error.kind) {
    case 'silent':
    case 'aborted':
      return { code: 'VMM_TIMEOUT', message, details }
    case 'busy':
      return { code: 'BUSY', message, details }
    case 'refused':
      return { code: 'INVALID_STATE', message, details }
    default:
      return { code: 'VMM_GONE', message, details }
  }
}

/** What went wrong before there was a VMM; `otherwise` where the error says nothing itself. */
export function startFailure(error: unknown, otherwise: Failure['code']): Failure {
  const message = messageOf(error)
  if (error instanceof ImageError) return { code: error.code, message, details: error.details }
  if (BoxError.is(error)) return { code: error.code, message, details: error.details }
  const system = (error as NodeJS.ErrnoException | null)?.code
  if (system === 'ENOSPC' || system === 'EDQUOT') return { code: 'NO_SPACE', message }
  return { code: isErrorCode(otherwise) ? otherwise : 'VMM_START_FAILED', message }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
