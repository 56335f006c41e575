import type { BoxContext, BoxFact, Effect } from '../../machines/index.ts'
import type { DriverInput } from '../../vmm/index.ts'
import type { Behaviour, Call, CallName, Start } from '../host/behaviour.ts'
import type { SimulatedHost } from '../host/simulated-host.ts'
import type { SimulatedVmm } from '../host/simulated-vmm.ts'
import type { Life } from '../simulation/life.ts'

type WithoutIncarnation<T> = T extends unknown ? Omit<T, 'incarnation'> : never
export type Fact = WithoutIncarnation<BoxFact>

/** What scripted drivers share. */
export interface DriverWorld {
  /** the engine's that they serve: when it ends, they have no hands any more */
  readonly life: Life
  readonly host: SimulatedHost
  readonly behaviourOf: (start: Start) => Behaviour
  /** how late a change is noticed, in `ms` */
  readonly noticeMs: () => number
  /** told before anything of an effect is done */
  readonly onEffect: (box: string, effect: Effect) => void
  readonly removeFiles: (box: string) => Promise<void>
}

/** Nothing more is to be told or done. One for all: making an error costs more than all else that is done here. */
export const closed = Object.freeze(
  new Error('The driver is closed, or what it does is not waited for any more'),
)

/** One incarnation as its driver knows it. */
export class Incarnation {
  readonly input: DriverInput
  readonly world: DriverWorld
  readonly start: Start
  readonly behaviour: Behaviour
  context: BoxContext
  /** its VMM, once it is known */
  vmm: SimulatedVmm | undefined
  /** this driver has made the VMM, and so learns its exit code */
  isParent = false
  /** own calls under way */
  calls = 0
  readonly #closed = new AbortController()

  constructor(input: DriverInput, world: DriverWorld) {
    const { box, incarnation, context } = input
    this.input = input
    this.world = world
    this.context = context
    this.start = { box, incarnation, name: context.name, spec: context.spec }
    this.behaviour = world.behaviourOf(this.start)
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  close(): void {
    this.#closed.abort(closed)
  }

  /** What comes of a call, by the script. */
  call(name: CallName): Required<Pick<Call, 'ms' | 'answerMs' | 'outcome'>> & Call {
    return { ms: 1, answerMs: 0, outcome: 'done', ...this.behaviour.call(name) }
  }

  /** Resolves when the fact is durable. */
  async tell(fact: Fact): Promise<void> {
    if (this.closed.aborted) throw closed
    try {
      await this.input.tell({ ...fact, incarnation: this.input.incarnation } as BoxFact)
    } catch {
      // The engine takes no more. Whoever comes next looks at the world again.
      this.close()
      throw closed
    }
  }

  /** By the engine's clock: what dies with the engine ends its waits. Throws when the wait is called off. */
  pause(ms: number, signal: AbortSignal = this.closed): Promise<void> {
    const { clock } = this.world.life
    return new Promise((resolve, reject) => {
      const off = () => {
        clock.clearTimeout(handle)
        reject(closed)
      }
      const handle = clock.setTimeout(() => {
        signal.removeEventListener('abort', off)
        resolve()
      }, ms)
      if (signal.aborted) off()
      else signal.addEventListener('abort', off, { once: true })
    })
  }
}
