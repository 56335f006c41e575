import type { Difference } from '../index.ts'
import { delayOf, type Effect, type Timer } from '../machines/index.ts'

/** A difference as a line: where, what was, what is. */
export function differenceWords({ path, before, after }: Difference): string {
  const place = path.map(delayOf).join('.')
  const words = (value: unknown) => (value === undefined ? 'nothing' : valueWords(path, value))
  return before === undefined ? `${place}: ${words(after)}` : `${place}: ${words(before)} -> ${words(after)}`
}

function valueWords(path: readonly string[], value: unknown): string {
  const [root, , ...deeper] = path
  if (deeper.length === 0 && root === 'timers') return `due ${timeWords((value as Timer).dueAt)}`
  if (deeper.length === 0 && root === 'effects')
    return `asked for by version ${Number.parseInt((value as Effect).id, 10)}`
  const name = path.at(-1) ?? ''
  if (typeof value === 'number' && (name === 'at' || name.endsWith('At'))) return timeWords(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Times are kept in `ms since 1970`, which nobody can read. */
function timeWords(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ')
}
