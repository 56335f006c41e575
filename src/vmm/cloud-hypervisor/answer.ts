import { printable, quoted } from '../../machines/index.ts'

/** An answer as it came: never trusted to be what it should. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/** What is kept of what a VMM says: it ends up in the ledger, and before people's eyes. */
const mostMessages = 16
const longestMessage = 1_000

/**
 * What the VMM said, outermost message first. v47 and on: a JSON array of strings; before: plain text; the HTTP layer:
 * `{ "error": "..." }` with raw line feeds within the string, which is not JSON.
 */
export function messagesOf(answer: Answer): string[] {
  return messagesIn(answer.body.trim())
    .map(message => printable(message.slice(0, longestMessage)).trim())
    .filter(message => message !== '')
    .slice(0, mostMessages)
}

function messagesIn(text: string): string[] {
  if (text === '') return []
  const value = parse(text)
  if (Array.isArray(value))
    return value.slice(0, mostMessages).map(item => (typeof item === 'string' ? item : quoted(item)))
  if (isObject(value) && 'error' in value)
    return [typeof value.error === 'string' ? value.error : quoted(value.error)]
  if (typeof value === 'string') return [value]
  const inner = /^\{\s*"error":\s*"([\s\S]*)"\s*\}$/.exec(text)?.[1]
  return (inner ?? text).slice(0, mostMessages * longestMessage).split('\n')
}

/** The answer's JSON as an object, or undefined. Counters beyond 2^53 are rounded, which nothing here reads. */
export function objectOf({ body }: Answer): Readonly<Record<string, unknown>> | undefined {
  const value = parse(body)
  return isObject(value) ? value : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
