import { noHash, sha256, skimFrame } from '../codec.ts'
import { bodyKey, positionOfFrameKey } from '../keys.ts'
import type { Tail } from '../tail-file.ts'
import type { Tally } from './tally.ts'

export interface FrameChainInput {
  /** ends of the chain, as they are known: each is passed, and has that hash */
  readonly ends: readonly Tail[]
  /** takes what is to be of bodies */
  readonly tally: Tally
}

/** Follows the global chain: each frame is as it is written, and linked to the one before. */
export class FrameChain {
  /** how many there were */
  records = 0
  readonly #ends: readonly Tail[]
  readonly #tally: Tally
  #hash = noHash

  constructor({ ends, tally }: FrameChainInput) {
    this.#ends = ends
    this.#tally = tally
  }

  /** Takes what comes next. False: something is not right. */
  follow(page: readonly (readonly [key: string, text: string])[]): boolean {
    for (const [key, text] of page) {
      const position = this.records + 1
      const frame = skimFrame(text)
      const isNext =
        frame?.position === position && frame.prev === this.#hash && positionOfFrameKey(key) === position
      if (!isNext) return false
      this.records = position
      this.#hash = sha256(text)
      for (const end of this.#ends) if (end.position === position && end.hash !== this.#hash) return false
      this.#tally.add(bodyKey(frame.box, frame.version, position), frame.bodyHash)
    }
    return true
  }

  /** Nothing comes any more. False: something should. */
  end(): boolean {
    return this.#ends.every(end => end.position <= this.records)
  }
}
