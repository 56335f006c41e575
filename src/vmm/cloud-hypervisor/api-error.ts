import { type Answer, messagesOf } from './answer.ts'

/**
 * What a call that did not succeed means.
 *
 * - `refused`: the VMM answered and did not do it
 * - `absent`: it has no VM for this
 * - `busy`: it may do it later
 * - `silent`: no answer within the time given; it may be done, be under way or never happen
 * - `cut`: the connection ended or was not made; likewise
 * - `garbled`: what came back is not an answer of a VMM
 * - `aborted`: the caller did not wait for it; likewise
 */
export type ApiErrorKind = 'refused' | 'absent' | 'busy' | 'silent' | 'cut' | 'garbled' | 'aborted'

/** A call to the VMM that did not succeed. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly kind: ApiErrorKind
  /** the VMM's own messages, outermost first */
  readonly messages: readonly string[]
  readonly status: number | undefined

  constructor(kind: ApiErrorKind, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.messages = options.messages ?? []
    this.status = options.status
  }
}

interface ApiErrorOptions {
  readonly messages?: readonly string[]
  readonly status?: number
  readonly cause?: unknown
}

/** v53 answers 404 where there is no VM, older ones 500; some calls 500 everywhere: the text tells. */
const absence = /not (?:created|running)|config is missing/i

export function errorOfAnswer(call: string, answer: Answer): ApiError {
  const messages = messagesOf(answer)
  const said = messages.length > 0 ? messages.join(': ') : 'nothing'
  const options = { messages, status: answer.status }
  return new ApiError(kindOf(answer, messages), `${call} was answered ${answer.status}: ${said}`, options)
}

function kindOf({ status }: Answer, messages: readonly string[]): ApiErrorKind {
  if (status === 429 || status === 503) return 'busy'
  if (messages.some(message => absence.test(message))) return 'absent'
  return status >= 400 ? 'refused' : 'garbled'
}

/** For what the transport threw: codes `HPE_…` are the HTTP parser's, for bytes that are no HTTP. */
export function errorOfTransport(call: string, error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  const kind = code.startsWith('HPE_') ? 'garbled' : 'cut'
  return new ApiError(kind, `${call} got no answer: ${message}`, { cause: error })
}
