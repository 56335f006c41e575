/** An answer as it came: never trusted to be what it should. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * What the VMM said, outermost message first. v47 and on: a JSON array of strings; before: plain text; the HTTP layer:
 * `{ "error": "..." }` with raw line feeds within the string, which is not JSON.
 */
export function messagesOf({ body }: Answer): string[] {
  const text = body.trim()
  if (text === '') return []
  const value = parse(text)
  if (Array.isArray(value)) return value.map(item => (typeof item === 'string' ? item : JSON.stringify(item)))
  if (typeof value === 'object' && value !== null && 'error' in value) return [String(value.error)]
  if (typeof value === 'string') return [value]
  const inner = /^\{\s*"error":\s*"([\s\S]*)"\s*\}$/.exec(text)?.[1]
  return (inner ?? text)
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
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
