import type { BoxRuntime } from '../../api/box-runtime.ts'
import { BoxError } from '../../machines/index.ts'
import { LifeOver } from './life.ts'
import type { Simulation } from './simulation.ts'

export interface Asked {
  given: number
  done: number
  /** answered with an error that has its place */
  refused: number
  /** the answer was lost, and the command given again under the same ID */
  repeated: number
  /** the answer was lost, and nobody asked again */
  lost: number
}

/** How long somebody waits before a command is given again, in `ms`. */
const againMs = 5_000

/** Gives commands as callers do who may lose the answer, and counts what comes of them. */
export class Asking {
  readonly counts: Asked = { given: 0, done: 0, refused: 0, repeated: 0, lost: 0 }
  /** commands whose answer is waited for */
  readonly open = new Map<number, { readonly what: string; readonly box: string | undefined }>()
  readonly #world: Simulation
  #numbers = 0

  constructor(world: Simulation) {
    this.#world = world
  }

  /** Resolves when it is settled one way or the other. With an ID, a command whose answer is lost is given again. */
  async ask(
    what: string,
    box: string | undefined,
    command: (runtime: BoxRuntime) => Promise<unknown>,
    commandId: string | undefined,
  ): Promise<void> {
    const number = this.#numbers++
    this.counts.given += 1
    this.open.set(number, { what, box })
    for (let isFirst = true; ; isFirst = false) {
      const outcome = await this.#try(what, box, command)
      if (outcome === 'lost' && commandId !== undefined) {
        if (isFirst) this.counts.repeated += 1
        await new Promise<void>(resolve => this.#world.clock.setTimeout(resolve, againMs))
        continue
      }
      this.counts[outcome] += 1
      break
    }
    this.open.delete(number)
  }

  async #try(
    what: string,
    box: string | undefined,
    command: (runtime: BoxRuntime) => Promise<unknown>,
  ): Promise<'done' | 'refused' | 'lost'> {
    const world = this.#world
    if (!world.isUp) return 'lost'
    const { life, runtime } = world
    try {
      await Promise.race([command(runtime), life.ended])
      if (life.isOver) return 'lost'
      if (box !== undefined) world.answered(box, what)
      return 'done'
    } catch (error) {
      if (error instanceof LifeOver || life.isOver) return 'lost'
      if (!BoxError.is(error)) {
        world.note('answered', box, `${what} ended with ${String(error)}`)
        return 'refused'
      }
      if (error.code === 'LEDGER_CORRUPT') world.note('sound', box, `${what}: ${error.message}`)
      return error.code === 'COMMIT_UNKNOWN' || error.code === 'ENGINE_CLOSED' ? 'lost' : 'refused'
    }
  }
}
