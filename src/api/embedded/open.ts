import { Engine, keptAlive } from '../../engine/index.ts'
import { checkedHome } from '../checked-home.ts'
import { check, shapes } from '../options.ts'
import type { OpenOptions } from '../runtime-options.ts'
import { OwnerServer } from '../socket/server.ts'
import { engineName } from '../version.ts'
import { EmbeddedRuntime } from './runtime.ts'

/**
 * Makes this process the home's owner until `close`, and serves the home's socket meanwhile. Resolves when the heads
 * are loaded; boxes that the host is still being asked about are `recovering`. Rejects with `ENGINE_LOCKED`
 * (`details.pid` names the owner), `LEDGER_CORRUPT`, `FORMAT_UNSUPPORTED`, `NO_SPACE`.
 */
export async function open(options: OpenOptions = {}): Promise<EmbeddedRuntime> {
  const {
    home: wanted,
    vmm,
    clock,
    ids,
    random,
    seams,
    ...rest
  } = check(shapes.open, options, 'options') as OpenOptions
  const home = checkedHome(wanted)
  const engine = await Engine.open({
    ...rest,
    ...seams,
    home,
    engine: engineName,
    vmm: { ...vmm, env: process.env },
    world: {
      ...(clock === undefined ? {} : { clock }),
      ...(ids === undefined ? {} : { boxId: ids }),
      ...(random === undefined ? {} : { random }),
    },
  })
  try {
    const server = await OwnerServer.open(engine)
    return new EmbeddedRuntime(engine, async close => {
      using _alive = keptAlive()
      await server.close().finally(close)
    })
  } catch (error) {
    await engine.close()
    throw error
  }
}
