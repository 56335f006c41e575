import type { BoxRuntime } from '../../api/box-runtime.ts'
import type { BoxOptions } from '../../api/options.ts'
import type { BoxInfo } from '../../engine/index.ts'
import type { Random } from '../random.ts'
import { Asking } from './asking.ts'
import type { Simulation } from './simulation.ts'
import { snapshotCommand } from './snapshot-users.ts'

export interface UsersOptions {
  /** boxes that they keep */
  readonly boxes: number
  readonly commandsPerHour: number
  /** what the n-th box is to be */
  readonly box: (n: number, random: Random) => BoxOptions
  readonly random: Random
}

type Command = (runtime: BoxRuntime, commandId: { readonly commandId?: string }) => Promise<unknown>

/** People who keep some boxes, and command them about without knowing of one another. */
export class Users {
  readonly asking: Asking
  readonly #world: Simulation
  readonly #options: UsersOptions
  isResting = false
  #made = 0
  #commands = 0

  constructor(world: Simulation, options: UsersOptions) {
    this.#world = world
    this.#options = options
    this.asking = new Asking(world)
    this.#next()
  }

  #next(): void {
    const { random, commandsPerHour, boxes } = this.#options
    const ms = random.wait(3_600_000 / (commandsPerHour * boxes))
    this.#world.clock.setTimeout(() => {
      if (!this.isResting && this.#world.isUp) void this.#act()
      this.#next()
    }, ms)
  }

  async #act(): Promise<void> {
    const { random, boxes, box } = this.#options
    const infos = await this.#world.runtime.listInfo().catch((): BoxInfo[] => [])
    if (infos.length < boxes && random.chance(0.7)) {
      const options = box(this.#made++, random)
      const { name } = options
      if (name !== undefined && random.chance(0.2))
        return this.#ask(`getOrCreate ${name}`, undefined, (runtime, c) =>
          runtime.getOrCreate({ ...options, name }, c),
        )
      return this.#ask('create', undefined, async (runtime, c) => {
        const made = await runtime.create(options, c)
        this.#world.answered(made.id, 'create')
      })
    }
    if (infos.length > 0) await this.#command(random.pick(infos), infos.length < boxes)
  }

  /** @param hasRoom whether there may be another box */
  async #command({ id, state }: BoxInfo, hasRoom: boolean): Promise<void> {
    const { random } = this.#options
    const of =
      (act: (box: NonNullable<Awaited<ReturnType<BoxRuntime['get']>>>, c: object) => Promise<unknown>) =>
      async (runtime: BoxRuntime, c: object) => {
        const box = await runtime.get(id)
        if (box !== undefined) await act(box, c)
      }
    if (state === 'unknown' && random.chance(0.5)) return this.#resolve(id)
    const draw = random.below(100)
    if (draw < 25)
      return this.#ask(
        'start',
        id,
        of((box, c) => box.start(c)),
      )
    if (draw < 43) {
      const mode = random.pick(['graceful', 'graceful', 'force', 'kill'] as const)
      let since: number | undefined
      return this.#ask(
        `stop ${mode}`,
        id,
        of(async (box, c) => {
          since ??= (await box.info()).version
          await box.stop({ mode, ...c })
          this.#world.stopped(id, since)
        }),
      )
    }
    if (draw < 52)
      return this.#ask(
        'restart',
        id,
        of((box, c) => box.restart(c)),
      )
    if (draw < 61)
      return this.#ask(
        'pause',
        id,
        of((box, c) => box.pause(c)),
      )
    if (draw < 70)
      return this.#ask(
        'resume',
        id,
        of((box, c) => box.resume(c)),
      )
    if (draw < 78) {
      const force = random.chance(0.5)
      return this.#ask(`remove${force ? ' with force' : ''}`, undefined, (runtime, c) =>
        runtime.remove(id, { force, ...c }),
      )
    }
    if (draw < 92) {
      const isUp = state === 'running' || state === 'paused'
      const { what, act } = snapshotCommand(random, { isUp, mayClone: hasRoom })
      return this.#ask(what, id, of(act))
    }
    const name = random.chance(0.2) ? null : `name-${random.below(40)}`
    return this.#ask(`rename to ${name}`, undefined, (runtime, c) => runtime.rename(id, name, c))
  }

  /** Whoever says that a VMM is dead has seen to it first. */
  async #resolve(id: string): Promise<void> {
    this.#world.host.vmmOf(id)?.end({ signal: 'SIGKILL' })
    await this.#ask('resolve', undefined, (runtime, c) => runtime.resolve(id, 'dead', c))
  }

  async #ask(what: string, box: string | undefined, command: Command): Promise<void> {
    this.#commands += 1
    const c = this.#options.random.chance(0.5) ? { commandId: `command-${this.#commands}` } : {}
    await this.asking.ask(what, box, runtime => command(runtime, c), c.commandId)
  }
}
