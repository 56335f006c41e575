import { isDeepStrictEqual } from 'node:util'
import { type BoxState, type Head, isRefusal, type LedgerRecord, type step } from '../../machines/index.ts'

export interface Refold {
  /** what folds events into states */
  readonly step: typeof step
  /** the box as it is stored */
  readonly head: (box: string) => Head | undefined
}

/** Folds every box from its first record on. Gives those that come to something else than is recorded or stored, and why. */
export async function misfolded(
  records: AsyncIterable<LedgerRecord>,
  { step, head }: Refold,
): Promise<Map<string, string>> {
  const states = new Map<string, BoxState>()
  const wrong = new Map<string, string>()
  for await (const { box, version, at, event, to, effects, timers } of records) {
    if (wrong.has(box)) continue
    const outcome = step(states.get(box), event, { at: Date.parse(at), version })
    if (isRefusal(outcome)) wrong.set(box, `${event.type}, version ${version}, is refused when folded anew`)
    else if (!isSame([outcome.to, outcome.effects, outcome.timers], [to, effects, timers]))
      wrong.set(box, `${event.type}, version ${version}, comes to something else when folded anew`)
    else states.set(box, outcome.state)
  }
  for (const [box, state] of states)
    if (!wrong.has(box) && !isSame(state, head(box)?.state))
      wrong.set(box, 'folded from zero it is not as it is stored')
  return wrong
}

/** Whether a value would be stored as the other one is. */
function isSame(value: unknown, stored: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(value)), stored)
}
