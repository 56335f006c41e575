import type { Archive } from './archive/archive.ts'
import type { Losses } from './losses.ts'

/** What a reader has to know beside the chain: which records are lost, and where archived bodies are. */
export interface Beside {
  readonly losses: Losses
  readonly archive: Archive
}
