import { inspect, types } from 'node:util'
import { type Callback, type Test, suite as uvuSuite } from 'uvu'

export type { Callback, Test } from 'uvu'

/**
 * uvu's suite, which tells whatever its tests and hooks throw. By itself uvu says nothing of what a hook throws, and ends
 * a suite without a word at an error whose `details` are no text, such as a BoxError, or at what is no error at all.
 */
export function suite(name = ''): Test {
  const inner = uvuSuite(name)
  const testing =
    (body: Callback): Callback =>
    async context => {
      try {
        await body(context)
      } catch (error) {
        throw printable(error)
      }
    }
  const hook = (register: (body: Callback) => void, what: string) => (body: Callback) =>
    register(async context => {
      try {
        await body(context)
      } catch (error) {
        process.stdout.write(`\nFAIL ${name} ${what}: ${inspect(error)}\n`)
        throw error
      }
    })
  const hooks = (register: Test['before'], what: string) =>
    Object.assign(hook(register, what), { each: hook(register.each, `${what} each`) })
  return Object.assign((title: string, body: Callback) => inner(title, testing(body)), {
    only: (title: string, body: Callback) => inner.only(title, testing(body)),
    skip: inner.skip,
    run: inner.run,
    before: hooks(inner.before, 'before'),
    after: hooks(inner.after, 'after'),
  })
}

/** For files of one suite without a name. */
export const test = suite()

/** An error as uvu can print it: what it carries as text, beside its message and stack. */
function printable(error: unknown): unknown {
  if (!types.isNativeError(error) || typeof error.stack !== 'string')
    return new Error(`thrown: ${inspect(error)}`)
  const { name, message, cause, details, code } = error as Error & { details?: unknown; code?: unknown }
  if (typeof details !== 'object' && cause === undefined) return error
  const carried = Object.entries({ details, cause }).filter(([, value]) => value !== undefined)
  return Object.create(error, {
    message: { value: code === undefined ? message : `${name} ${code}: ${message}` },
    details: { value: carried.map(([what, value]) => `${what}: ${inspect(value)}`).join('\n') },
  })
}
