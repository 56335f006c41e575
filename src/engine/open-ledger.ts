import { type Ledger, openLedger } from '../store/index.ts'
import type { EngineOptions } from './options.ts'
import { pauseOn } from './time-limit.ts'
import type { World } from './world.ts'

/** The ledger of an engine's home, by the engine's own clock. */
export function openLedgerOf(options: EngineOptions, { bootId, clock }: World): Promise<Ledger> {
  const { home, engine, durability = 'sync', medium, aroundFlush, boundary, schema } = options
  return openLedger({
    ...{ home, engine, durability, bootId },
    now: () => clock.now(),
    pause: (ms, signal) => pauseOn(clock, ms, signal),
    ...(medium === undefined ? {} : { medium }),
    ...(aroundFlush === undefined ? {} : { aroundFlush }),
    ...(boundary === undefined ? {} : { boundary }),
    ...(schema === undefined ? {} : { schema }),
  })
}
