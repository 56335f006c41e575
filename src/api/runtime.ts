import type { RepairReport } from '../store/index.ts'
import type { BoxRuntime as Runtime } from './box-runtime.ts'
import { open } from './embedded/open.ts'
import { repair } from './repair.ts'
import type { OpenOptions } from './runtime-options.ts'
import { type ConnectOptions, connect } from './socket/connect.ts'

export type BoxRuntime = Runtime

/**
 * The two ways to the boxes of a home; both give the same interface.
 *
 * @example
 * await using runtime = await BoxRuntime.open({ home: '/var/lib/boxes' })
 * const { box } = await runtime.getOrCreate({ name: 'hello' })
 * await box.start()
 */
export const BoxRuntime = {
  /**
   * Embedded: this process becomes the home's owner until `close`, and serves the home's socket meanwhile. Resolves
   * when the heads are loaded; boxes that the host is still being asked about are `recovering`. Rejects with
   * `ENGINE_LOCKED` (`details.pid` names the owner), `LEDGER_CORRUPT`, `FORMAT_UNSUPPORTED`, `NO_SPACE`.
   */
  open: (options?: OpenOptions): Promise<BoxRuntime> => open(options),
  /**
   * Through the socket of the process that owns the home. Rejects with `NO_OWNER` if there is none. When the owner
   * ends, calls and streams wait 30 s for a new one and go on there, else they reject with `NO_OWNER`.
   */
  connect: (options?: ConnectOptions): Promise<BoxRuntime> => connect(options),
  /**
   * Writes every good record of a damaged home to a new one, also where the ledger does not open any more, and tells
   * what is lost and which boxes are parked for it. The damaged home is not changed, and must not be owned
   * (`ENGINE_LOCKED`); `target` must not exist, or be an empty directory (`INVALID_ARGUMENT`). The new home is inert, as a
   * copy is.
   */
  repair: (home: string, target: string): Promise<RepairReport> => repair(home, target),
}
