import * as v from 'valibot'
import { bytesOf } from './options.ts'
import { strict, text, whole } from './schema.ts'

const maxBytes = 1000 * 1024
/** The last moment that a date can hold, in `ms since 1970`. */
const lastTime = 8.64e15
const isoTime = v.pipe(
  text,
  v.check(
    value => /^\d{4}-\d{2}-\d{2}T/.test(value) && Number.isFinite(Date.parse(value)),
    'must be an ISO time',
  ),
)
const position = v.optional(whole(1, Number.MAX_SAFE_INTEGER))
const moments = { version: position, position }

/** Exactly one way of saying when. */
function moment<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    strict(entries),
    v.check(
      given => Object.values(given).filter(value => value !== undefined).length === 1,
      'must be one of { version }, { position } and { time }',
    ),
  )
}

/** Shapes of what those hand in who look back. */
export const auditShapes = {
  moment: moment({ ...moments, time: v.optional(v.date('must be a Date')) }),
  /** with its time in ms since 1970 */
  wireMoment: moment({ ...moments, time: v.optional(whole(-lastTime, lastTime)) }),
  version: whole(1, Number.MAX_SAFE_INTEGER),
  forkAt: strict({ version: whole(1, Number.MAX_SAFE_INTEGER) }),
  forkEvents: v.pipe(
    v.array(v.looseObject({ type: v.string(), at: v.optional(isoTime) })),
    v.maxLength(10_000, 'must be at most 10000 events'),
    v.check(events => bytesOf(events) <= maxBytes, 'are larger than 1000 KiB'),
  ),
}
