/** One place where two JSON values are not the same. */
export interface Difference {
  /** from the value's root, such as `['context', 'restart', 'count']`; empty: the values as a whole */
  readonly path: readonly string[]
  /** absent: there was nothing */
  readonly before?: unknown
  /** absent: there is nothing any more */
  readonly after?: unknown
}

/**
 * What is different between two values, in the order of the fields of the first, then of the second. Fields that are
 * `undefined` are none, as in JSON. Arrays of another length are different as a whole.
 */
export function differencesOf(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = []
  compare(before, after, [], found)
  return found
}

/** Whether a value would be stored as another one was. */
export function isSameJson(value: unknown, stored: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(stored) || differencesOf(value, stored).length === 0
}

function compare(before: unknown, after: unknown, path: readonly string[], found: Difference[]): void {
  if (Object.is(before, after)) return
  const [a, b] = [fieldsOf(before), fieldsOf(after)]
  const alike =
    a !== undefined &&
    b !== undefined &&
    Array.isArray(before) === Array.isArray(after) &&
    (!Array.isArray(before) || before.length === (after as unknown[]).length)
  if (!alike) {
    found.push({
      path,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    })
    return
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
    compare(own(a, key), own(b, key), [...path, key], found)
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

/** Labels may be called like what every object has. */
function own(fields: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined
}
