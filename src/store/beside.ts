import type { Schema } from '../machines/index.ts'
import type { Archive } from './archive/archive.ts'
import type { Losses } from './losses.ts'

/** What a reader has to know beside the chain: which records are lost, where archived bodies are, and what old ones mean. */
export interface Beside {
  readonly losses: Losses
  readonly archive: Archive
  readonly schema: Schema
}
