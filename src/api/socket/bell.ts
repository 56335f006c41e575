import type { Engine } from '../../engine/index.ts'

/** Rings when something has changed since it was last heard; however often, once. Keeps no process alive. */
export class Bell implements Disposable {
  #rung = false
  #wake = () => {}
  readonly #undo: readonly (() => void)[]

  constructor(engine: Engine, signal: AbortSignal, box?: string) {
    const ring = () => {
      this.#rung = true
      this.#wake()
    }
    signal.addEventListener('abort', ring, { once: true })
    this.#undo = [
      () => signal.removeEventListener('abort', ring),
      engine.onChange(head => {
        if (box === undefined || head.box === box) ring()
      }),
      engine.onClose(ring),
    ]
  }

  async heard(): Promise<void> {
    if (!this.#rung)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    this.#rung = false
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo()
  }
}
