import type { VmmChoice } from '../vmm/index.ts'
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
  /** told before and after each thing that a crash could come between; for crash tests */
  readonly boundary?: (name: string) => void
  /** wraps each flush of the ledger; for tests that hold it */
  readonly aroundFlush?: (flush: () => Promise<void>) => Promise<void>
  readonly world?: Partial<World>
  /** name and version of the engine, kept in every record */
  readonly engine: string
}
