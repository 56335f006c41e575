import { fromCallback } from 'xstate'
import { BoxError, type Effect, type EffectType } from '../../machines/index.ts'
import type { DriverEvent, DriverInput, Hands } from '../../vmm/index.ts'
import { simulatedRuns } from '../host/simulated-runs.ts'
import { never } from '../simulation/life.ts'
import { closed, type DriverWorld, Incarnation } from './incarnation.ts'
import { lookAt } from './look.ts'
import { pauseVm, resumeVm } from './run.ts'
import { commitSnapshot, releaseVm, restoreVm, saveVm } from './snapshot.ts'
import { awaitVmm, bootVm, createVm, prepareFiles, spawnVmm } from './start.ts'
import { closeVmm, cutPower, killVmm, pressButton, terminateVmm } from './stop.ts'
import { attach, type Task, tellFound } from './task.ts'
import { ignoreClosed, Watch } from './watch.ts'

const work: Readonly<Partial<Record<EffectType, (task: Task) => Promise<unknown>>>> = {
  prepareFiles,
  spawnVmm,
  awaitVmm,
  createVm,
  bootVm,
  awaitGuest: async task => task.recovered && attach(task),
  pauseVm,
  resumeVm,
  saveVm,
  releaseVm,
  commitSnapshot,
  restoreVm,
  pressButton,
  cutPower,
  closeVmm,
  terminateVmm,
  killVmm,
  lookAtVmm: lookAgain,
}

const firstLookMs = 1_000
const longestLookMs = 30_000

/** The driver of one incarnation on the simulated host: told effects, telling facts, as that of a real VMM is. */
class ScriptedDriver {
  readonly #box: Incarnation
  readonly #watch: Watch
  readonly #running = new Map<string, AbortController>()
  #spawning: Promise<unknown> = Promise.resolve()

  constructor(input: DriverInput, world: DriverWorld) {
    this.#box = new Incarnation(input, world)
    this.#watch = new Watch(this.#box)
  }

  receive(event: DriverEvent): void {
    if (this.#box.world.life.isOver) return
    if (event.type === 'cancel') this.#running.get(event.id)?.abort(closed)
    else if (event.type === 'look') this.#look().catch(ignoreClosed)
    else {
      this.#box.context = event.context
      this.#box.world.onEffect(this.#box.start.box, event.effect)
      this.#run(event.effect, event.recovered).catch(ignoreClosed)
    }
  }

  close(): void {
    this.#box.close()
  }

  async #look(): Promise<void> {
    const { closed } = this.#box
    await tellFound({ box: this.#box, watch: this.#watch }, await lookAt(this.#box, this.#watch, closed))
  }

  async #run(effect: Effect, recovered: boolean): Promise<void> {
    const cancel = new AbortController()
    this.#running.set(effect.id, cancel)
    const task: Task = {
      box: this.#box,
      watch: this.#watch,
      signal: AbortSignal.any([cancel.signal, this.#box.closed]),
      recovered,
      spawned: async () => void (await this.#spawning.catch(() => {})),
    }
    const done = work[effect.type]?.(task)
    if (effect.type === 'spawnVmm' && done !== undefined) this.#spawning = done
    try {
      await done
    } finally {
      this.#running.delete(effect.id)
    }
  }
}

/** Looks again and again until it can be told what is. */
async function lookAgain(task: Task): Promise<void> {
  for (let ms = firstLookMs; ; ms = Math.min(longestLookMs, ms * 2)) {
    const found = await lookAt(task.box, task.watch, task.signal)
    if (task.signal.aborted) return
    if (found.is !== 'unknown') return void (await tellFound(task, found))
    await task.box.pause(ms, task.signal)
  }
}

/** Hands that reach into the simulated host instead of the real one. */
export function scriptedHands(world: DriverWorld): Hands {
  const open = new Set<ScriptedDriver>()
  world.life.ended.catch(() => {
    for (const driver of open) driver.close()
  })
  return {
    driver: fromCallback<DriverEvent, DriverInput>(({ input, receive }) => {
      const driver = new ScriptedDriver(input, world)
      open.add(driver)
      receive(event => driver.receive(event))
      return () => {
        open.delete(driver)
        driver.close()
      }
    }),
    runs: simulatedRuns(world.host),
    reach: async () => {
      throw new BoxError('UNSUPPORTED', 'There is no guest in a simulation')
    },
    looks: {
      // Nothing is counted here.
      measure: async () => ({}),
      ping: async ({ box, incarnation }) => {
        if (world.life.isOver) return never()
        const vmm = world.host.vmmOf(box)
        if (vmm?.start.incarnation !== incarnation || !vmm.isAlive || vmm.isMute)
          throw new Error('The VMM does not answer')
      },
    },
    removeSnapshot: async (_, box, name) =>
      world.life.isOver ? never() : world.host.removeSnapshot(box, name),
    removeFiles: async (_, box) => (world.life.isOver ? never() : world.removeFiles(box)),
  }
}
