import type { Tail, TailFile } from '../../store/index.ts'

/** The small file that knows how far the ledger went, in memory. It survives the engine. */
export class TailSlots {
  #tail: Tail | undefined

  open(isOver: () => boolean): TailFile {
    const found = this.#tail
    const write = (tail: Tail) => {
      if (!isOver()) this.#tail = tail
    }
    return {
      found,
      condition: found === undefined ? 'new' : 'good',
      read: () => this.#tail,
      write,
      failure: undefined,
      sync: write,
      close: () => {},
    }
  }
}
