import type { Boundary, Schema, step } from '../machines/index.ts'
import type { Medium } from '../store/index.ts'
import type { Hands, VmmChoice } from '../vmm/index.ts'
import type { Inspect } from './root.ts'
import type { World } from './world.ts'

export interface EngineOptions {
  /** directory of the home, absolute */
  readonly home: string
  readonly vmm: VmmChoice
  readonly durability?: 'sync' | 'process'
  /** starts at once; default: the machine's cores */
  readonly startConcurrency?: number
  readonly inspect?: Inspect
  readonly onProgress?: (message: string) => void
  /** told before and after each step that a crash could come between; for crash tests */
  readonly boundary?: Boundary
  /** wraps each flush of the ledger; for tests that hold it */
  readonly aroundFlush?: (flush: () => Promise<void>) => Promise<void>
  readonly world?: Partial<World>
  /** what acts on the world; default: drivers of real VMMs. For simulations */
  readonly hands?: Hands
  /** what the ledger stands on; default: the home's directory. For simulations */
  readonly medium?: Medium
  /** what events and states are read and written as; default this release's. For tests of a change of it */
  readonly schema?: Schema
  /** what folds events into states; for tests that plant a fault there */
  readonly step?: typeof step
  /** name and version of the engine, kept in every record */
  readonly engine: string
}
