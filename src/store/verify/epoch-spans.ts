import type { Epochs } from './epochs.ts'
import type { Skimmed } from './skim.ts'

interface Span {
  /** of the first of them that was met */
  readonly body: Skimmed
  first: number
  last: number
}

/** From where to where each epoch was written in, by records that come in any order. */
export class EpochSpans {
  readonly #spans = new Map<number, Span>()
  /** of the record before */
  #latest: Span | undefined

  /** False: it does not say of its epoch what another record says. */
  add(body: Skimmed, position: number): boolean {
    const span = this.#latest?.body.meta === body.meta ? this.#latest : this.#spanOf(body, position)
    if (span === undefined) return false
    if (position < span.first) span.first = position
    else if (position > span.last) span.last = position
    this.#latest = span
    return true
  }

  #spanOf(body: Skimmed, position: number): Span | undefined {
    const { epoch, bootId, engine } = body.meta
    const known = this.#spans.get(epoch)
    if (known === undefined) {
      const span = { body, first: position, last: position }
      this.#spans.set(epoch, span)
      return span
    }
    const { meta } = known.body
    return meta.bootId === bootId && meta.engine === engine ? known : undefined
  }

  /** Has each epoch followed, from its first record to its last one. */
  follow(epochs: Epochs): void {
    const spans = [...this.#spans.values()].sort((a, b) => a.first - b.first)
    // Where one has begun before another ends, the other's last record comes too late.
    const ends = spans.flatMap(span => [
      { body: span.body, position: span.first },
      { body: span.body, position: span.last },
    ])
    for (const { body, position } of ends.sort((a, b) => a.position - b.position))
      epochs.follow(body, position)
  }
}
