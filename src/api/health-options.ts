import * as v from 'valibot'
import { strict, text, whole } from './schema.ts'

/** How a box is asked whether it is well. */
export const health = strict({
  command: v.union(
    [v.literal('ping'), v.pipe(v.array(text), v.nonEmpty())],
    "must be 'ping', or a program with its arguments",
  ),
  intervalMs: v.optional(whole(100, 86_400_000)),
  timeoutMs: v.optional(whole(1, 86_400_000)),
  retries: v.optional(whole(1, 1_000)),
  startPeriodMs: v.optional(whole(0, 86_400_000)),
})
