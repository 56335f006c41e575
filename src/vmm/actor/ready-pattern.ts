import { type Context, createContext, Script } from 'node:vm'

/** Says whether any line fits. */
export interface ReadyPattern {
  matches(lines: readonly string[]): boolean
}

/** How long one look may take; all looks at once; and all of them in the long run, as a part of the time. In `ms`. */
const lookMs = 250
const burstMs = 2_000
const share = 0.05

/**
 * A caller's regular expression, to be run against whatever a guest prints: there are expressions that some text keeps
 * busy for longer than the world has been there. So its time is limited: lines that take longer do not fit, nor do those
 * that come while all of the time is used up. Undefined if it is no regular expression.
 */
export function readyPattern(source: string): ReadyPattern | undefined {
  let pattern: RegExp
  try {
    pattern = new RegExp(source)
  } catch {
    return undefined
  }
  let context: Context | undefined
  let leftMs = burstMs
  let since = performance.now()
  const fits = (lines: readonly string[]): boolean | undefined => {
    const began = performance.now()
    leftMs = Math.min(burstMs, leftMs + (began - since) * share)
    since = began
    if (leftMs < 1) return false
    context ??= createContext(Object.assign(Object.create(null), { pattern }))
    context.lines = lines
    try {
      return look.runInContext(context, { timeout: Math.ceil(Math.min(lookMs, leftMs)) }) === true
    } catch {
      // It took too long; or it is one that can be written down and not be run.
      return undefined
    } finally {
      context.lines = []
      leftMs -= performance.now() - began
    }
  }
  return {
    // Asked again where there is no answer: this process may not have had its turn meanwhile.
    matches: lines => lines.length > 0 && (fits(lines) ?? fits(lines) ?? false),
  }
}

/** Only a script has a time limit, and a regular expression within it keeps to that. */
const look = new Script('lines.some(line => pattern.test(line))')
