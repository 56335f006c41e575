import { BoxError } from '../machines/index.ts'

export interface ExportOptions {
  /** one box only, with its executions; by ID or name */
  readonly box?: string
}

/** Throws `INVALID_ARGUMENT` for what cannot give lines. */
export function checkLines(lines: unknown): asserts lines is AsyncIterable<string> {
  const isIterable = typeof lines === 'object' && lines !== null && Symbol.asyncIterator in lines
  if (isIterable && typeof lines[Symbol.asyncIterator] === 'function') return
  throw new BoxError('INVALID_ARGUMENT', 'lines must be an async iterable of texts', {
    details: { field: 'lines' },
  })
}
