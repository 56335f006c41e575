import type { EngineOptions } from '../../engine/index.ts'
import type { Hands } from '../../vmm/index.ts'
import type { Flush } from '../disk/simulated-disk.ts'
import type { Script } from '../host/behaviour.ts'
import type { Rule } from './monitor.ts'

export interface SimulationOptions {
  /** of all chance: the same seed and the same calls give the same history, byte by byte */
  readonly seed: number
  /** how VMMs and guests behave; default: all goes well and fast */
  readonly script?: Script
  /** what becomes of each write of the ledger; default: it is there at once */
  readonly flush?: () => Flush
  /** how late a driver notices what has happened, in `ms`; default 5 */
  readonly noticeMs?: () => number
  /** starts at once; default 4 */
  readonly startConcurrency?: number
  /** a rule of your own, held against every record */
  readonly rule?: Rule
  /** a step of your own instead of the box machine's */
  readonly step?: NonNullable<EngineOptions['step']>
  /** wraps what acts on the simulated world */
  readonly hands?: (hands: Hands) => Hands
  /** told at each boundary between two things of the engine; a place to call `crash` */
  readonly boundary?: (name: string) => void
  /** keep what happens for `timeline`; default true */
  readonly timeline?: boolean
}
