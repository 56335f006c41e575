import type { Clock, Inspect } from '../engine/index.ts'
import type { Boundary, PublicState, Schema } from '../machines/index.ts'
import type { Hands } from '../vmm/index.ts'

export interface OpenOptions {
  /** default: `$BOXLEDGER_HOME`, else `$XDG_STATE_HOME/boxledger`, else `~/.local/state/boxledger` */
  readonly home?: string
  /** program of the VMM and its first arguments; default: discovery */
  readonly vmm?: { readonly binary?: string | readonly string[] }
  /** XState's inspection of all actors: boxes that were asked for, and drivers */
  readonly inspect?: Inspect
  /** `process` leaves out fsync: what was answered survives a crash of the process, not of the host */
  readonly durability?: 'sync' | 'process'
  /** starts at once; default: the machine's cores */
  readonly startConcurrency?: number
  /** told what takes long, such as making the built-in guest */
  readonly onProgress?: (message: string) => void
  /** for tests: time */
  readonly clock?: Clock
  /** for tests: new box IDs */
  readonly ids?: () => string
  /** for tests: chance, in [0, 1) */
  readonly random?: () => number
  /** for tests: what is told, or awaited, at boundaries of the engine, and what acts on the world */
  readonly seams?: {
    readonly boundary?: Boundary
    readonly aroundFlush?: (flush: () => Promise<void>) => Promise<void>
    readonly hands?: Hands
    readonly schema?: Schema
  }
}

export interface ListFilter {
  readonly states?: readonly PublicState[]
  readonly names?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly limit?: number
  /** ID of the last one of the page before */
  readonly after?: string
}
