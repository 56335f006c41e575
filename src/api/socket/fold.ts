import { BoxError, type BoxRecord, type Head, isRefusal, step } from '../../machines/index.ts'

/** The head of a box after a record, from the one before it: replay, a record at a time. */
export function headAfter(before: Head | undefined, record: BoxRecord): Head {
  const { box, version, position, event } = record
  const at = Date.parse(record.at)
  const outcome = step(before?.state, event, { at, version })
  if (isRefusal(outcome))
    throw new BoxError('LEDGER_CORRUPT', `Record ${position} of box ${box} cannot be replayed`, {
      details: { box, position },
    })
  return {
    box,
    version,
    position,
    createdPosition: before?.createdPosition ?? position,
    updatedAt: at,
    lastEvent: event.type,
    bodyHash: '',
    state: outcome.state,
  }
}
