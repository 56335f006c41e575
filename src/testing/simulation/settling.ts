import type { Engine } from '../../engine/index.ts'
import type { SimulatedHost } from '../host/simulated-host.ts'
import { type Disagreement, disagreement, leftOf } from '../invariants/agreement.ts'

/** How long a box may take to agree with the host once nothing new happens, in `ms`. */
const agreeMs = 900_000
const lookEveryMs = 5_000

/**
 * Looks until the engine and the host agree on every box; each has to be seen in agreement once. Gives those that did
 * not come to it.
 */
export async function disagreements(
  engine: Engine,
  host: SimulatedHost,
  advance: (ms: number) => Promise<void>,
): Promise<Map<string, Disagreement>> {
  const open = new Map<string, Disagreement>()
  const look = (box: string) => {
    const head = engine.ledger.head(box)
    const wrong = head === undefined ? leftOf(box, host) : disagreement(head, host, engine.ledger.heads())
    if (wrong === undefined) open.delete(box)
    else open.set(box, wrong)
  }
  // A box that is removed has no head any more, and may have left something.
  for (const box of new Set([...[...engine.ledger.heads()].map(head => head.box), ...host.boxes])) look(box)
  for (let waited = 0; open.size > 0 && waited < agreeMs; waited += lookEveryMs) {
    await advance(lookEveryMs)
    for (const box of [...open.keys()]) look(box)
  }
  return open
}

/** Whether something becomes due within so many `ms`, though nobody does anything. */
export function isSomethingDue(engine: Engine | undefined, ms: number): boolean {
  if (engine === undefined) return false
  const end = engine.world.clock.now() + ms
  return [...engine.ledger.heads()].some(({ state }) =>
    Object.values(state.timers).some(({ dueAt }) => dueAt < end),
  )
}
