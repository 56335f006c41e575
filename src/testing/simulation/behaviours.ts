import {
  type Behaviour,
  behaviourOf,
  type Call,
  type CallName,
  type Script,
  type Start,
} from '../host/behaviour.ts'

/** How VMMs behave, decided once for each: the next engine's driver finds the same one. */
export class Behaviours {
  readonly #script: Script
  readonly #last = new Map<string, { readonly incarnation: number; readonly behaviour: Behaviour }>()

  constructor(script: Script = () => ({})) {
    this.#script = script
  }

  of(start: Start): Behaviour {
    const { box, incarnation } = start
    const known = this.#last.get(box)
    if (known?.incarnation === incarnation) return known.behaviour
    const behaviour = behaviourOf(this.#script, start)
    this.#last.set(box, { incarnation, behaviour })
    return behaviour
  }

  /** Of the last incarnation; a box that was never started has no script. */
  callOf(box: string, name: CallName): Call {
    return this.#last.get(box)?.behaviour.call(name) ?? {}
  }

  forget(box: string): void {
    this.#last.delete(box)
  }
}
