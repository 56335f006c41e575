export interface HeapTimer {
  readonly at: number
  /** order among those of one moment */
  readonly number: number
  readonly callback: () => void
  /** neither fired nor cleared */
  isSet: boolean
}

/** Timers, the next one first: by time, then in the order in which they were set. */
export class TimerHeap {
  readonly #timers: HeapTimer[] = []
  /** those that are set; cleared ones stay in their place until it is their turn */
  pending = 0

  push(timer: HeapTimer): void {
    this.pending += 1
    const heap = this.#timers
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(timer, heap[parent])) break
      heap[at] = heap[parent] as HeapTimer
      at = parent
    }
    heap[at] = timer
  }

  clear(timer: HeapTimer): void {
    if (!timer.isSet) return
    timer.isSet = false
    this.pending -= 1
  }

  /** The next one that is set, left where it is. */
  peek(): HeapTimer | undefined {
    while (this.#timers[0]?.isSet === false) this.#pop()
    return this.#timers[0]
  }

  pop(): HeapTimer | undefined {
    const next = this.peek()
    if (next === undefined) return undefined
    this.#pop()
    this.clear(next)
    return next
  }

  #pop(): void {
    const heap = this.#timers
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      const least = isBefore(heap[right], heap[left]) ? right : left
      if (!isBefore(heap[least], last)) break
      heap[at] = heap[least] as HeapTimer
      at = least
    }
    heap[at] = last
  }
}

function isBefore(a: HeapTimer | undefined, b: HeapTimer | undefined): boolean {
  if (a === undefined) return false
  return b === undefined || a.at < b.at || (a.at === b.at && a.number < b.number)
}
