import { type Effect, type EffectType, snapshotsOf } from '../../machines/index.ts'
import type { DriverEvent, DriverInput } from '../driver.ts'
import { Closed } from './closed.ts'
import { messageOf } from './failures.ts'
import { Incarnation } from './incarnation.ts'
import { type Found, findVmmOf, lookAt } from './look.ts'
import { pauseVm, resumeVm } from './pause.ts'
import { renewGuest } from './renew.ts'
import { restoreVm } from './restore.ts'
import { commitSnapshot, releaseVm, saveVm } from './save.ts'
import { awaitVmm, bootVm, createVm, prepareFiles, spawn } from './start.ts'
import { closeVmm, cutPower, killVmm, pressButton, terminateVmm } from './stop.ts'
import type { Task } from './task.ts'
import { pause } from './wait.ts'
import { Watch } from './watch.ts'

const work: Readonly<Partial<Record<EffectType, (task: Task) => Promise<void>>>> = {
  prepareFiles,
  spawnVmm: spawn,
  awaitVmm,
  createVm,
  bootVm,
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
}

const rungs = {
  pressButton: 'power-button',
  cutPower: 'power-cut',
  closeVmm: 'vmm-shutdown',
  terminateVmm: 'terminate',
  killVmm: 'kill',
} as const

const firstLookMs = 1_000
const longestLookMs = 30_000

/** How long after a loss it is looked what the VM has become meanwhile, in `ms`. */
const afterLossMs = 1_000

/** The driver of one incarnation at work: runs effects, one beside the other where the machine asks so. */
export class DriverActor {
  readonly #box: Incarnation
  readonly #watch: Watch
  readonly #running = new Map<string, AbortController>()
  #spawning: Promise<void> = Promise.resolve()
  #attaching: Promise<boolean> | undefined
  #isLosing = false
  /** fires when an effect begins: what a look has found before may not be so any more */
  #undisturbed = new AbortController()

  constructor(input: DriverInput) {
    this.#box = new Incarnation(input)
    this.#watch = new Watch(this.#box, () => this.#lookAfterLoss())
  }

  receive(event: DriverEvent): void {
    if (event.type === 'cancel') this.#running.get(event.id)?.abort()
    else if (event.type === 'look') void this.#guard(this.#look(this.#box.closed))
    else {
      this.#box.context = event.context
      void this.#run(event.effect, event.recovered)
    }
  }

  /** Lets go of everything without touching the VMM. */
  close(): void {
    this.#box.close()
  }

  async #run(effect: Effect, recovered: boolean): Promise<void> {
    this.#undisturbed.abort()
    const cancel = new AbortController()
    this.#running.set(effect.id, cancel)
    const signal = AbortSignal.any([cancel.signal, this.#box.closed])
    const task: Task = {
      box: this.#box,
      watch: this.#watch,
      signal,
      recovered,
      attach: () => this.#attach(signal),
      find: () => this.#attachTo(findVmmOf(this.#box, this.#watch, signal), signal),
      spawned: () => this.#spawning,
    }
    const done = this.#guard(this.#do(effect, task), error => this.#tellMishap(effect, signal, error))
    if (effect.type === 'spawnVmm') this.#spawning = done
    await done
    this.#running.delete(effect.id)
  }

  async #do({ type }: Effect, task: Task): Promise<void> {
    if (type === 'lookAtVmm') return await this.#lookAgain(task.signal)
    if (type === 'awaitGuest') {
      if (!task.recovered || (await task.attach())) await renewGuest(task)
      return
    }
    await work[type]?.(task)
  }

  /** An error that nothing foresaw becomes the fact that the machine waits for. */
  async #tellMishap({ type }: Effect, signal: AbortSignal, error: unknown): Promise<void> {
    if (signal.aborted) return
    const message = `${type} failed unexpectedly: ${messageOf(error)}`
    const tell = this.#box.tell.bind(this.#box)
    if (type === 'prepareFiles' || type === 'spawnVmm' || type === 'awaitVmm')
      await tell({ type: 'start.failed', code: 'VMM_START_FAILED', message })
    else if (type === 'createVm' || type === 'bootVm' || type === 'restoreVm')
      await tell({ type: 'start.failed', code: 'BOOT_FAILED', message, details: { vmm: [message] } })
    else if (type === 'pauseVm') await tell({ type: 'pause.failed', code: 'VMM_GONE', message })
    else if (type === 'resumeVm' || type === 'releaseVm')
      await tell({ type: 'resume.failed', code: 'VMM_GONE', message })
    else if (type === 'saveVm' || type === 'commitSnapshot') {
      const name = snapshotsOf(this.#box.context).saving?.name ?? ''
      await tell({ type: 'snapshot.failed', name, code: 'ENGINE_FAILED', message })
    } else if (type in rungs)
      await tell({ type: 'stop.rung', rung: rungs[type as keyof typeof rungs], result: 'failed', message })
    else await tell({ type: 'box.unknown', reason: message })
  }

  async #guard(done: Promise<unknown>, onError?: (error: unknown) => Promise<void>): Promise<void> {
    try {
      await done
    } catch (error) {
      if (error instanceof Closed) return
      await onError?.(error).catch(() => {}) // Closed: there is nobody to tell
    }
  }

  /** What the VMM has said and nobody read is asked for, some time after the loss; a flood loses all the time. */
  #lookAfterLoss(): void {
    if (this.#isLosing) return
    this.#isLosing = true
    const { closed } = this.#box
    const look = async () => {
      await pause(afterLossMs, closed, { ref: false })
      this.#isLosing = false
      const { stop, failure, next } = this.#box.context
      const isSteady = stop === null && failure === null && next === null
      if (closed.aborted || !isSteady || !this.#watch.events.hasBooted) return
      this.#undisturbed = new AbortController()
      const undisturbed = AbortSignal.any([this.#undisturbed.signal, closed])
      const found = this.#running.size === 0 && (await lookAt(this.#box, this.#watch, undisturbed))
      // One that cannot be told now is the heartbeat's matter.
      if (found && found.is !== 'unknown') await this.#tellFound(found, undisturbed)
      if (!found || undisturbed.aborted) this.#lookAfterLoss()
    }
    void this.#guard(look())
  }

  async #look(signal: AbortSignal): Promise<void> {
    await this.#tellFound(await lookAt(this.#box, this.#watch, signal), signal)
  }

  /** Tells what a look has found; true if the incarnation is there to be worked on. */
  async #tellFound(found: Found, signal: AbortSignal): Promise<boolean> {
    const { process } = this.#box
    if (signal.aborted) return false
    if (found.is === 'unknown') await this.#box.tell({ type: 'box.unknown', reason: found.reason })
    else if (found.is === 'host-rebooted') await this.#box.tell({ type: 'host.rebooted' })
    else if (found.is !== 'alive') await this.#watch.end(found.is)
    else if (process) {
      await this.#watch.watchFiles()
      if (signal.aborted) return false
      this.#watch.heartbeat.answered()
      await this.#box.tell({ type: 'vmm.adopted', process, vm: found.vm })
      this.#box.context = { ...this.#box.context, unknownReason: null }
      return true
    }
    return false
  }

  #attach(signal: AbortSignal): Promise<boolean> {
    this.#attaching ??= this.#attachTo(lookAt(this.#box, this.#watch, signal), signal).finally(() => {
      this.#attaching = undefined
    })
    return this.#attaching
  }

  async #attachTo(look: Promise<Found>, signal: AbortSignal): Promise<boolean> {
    const found = await look
    if (found.is !== 'alive') return await this.#tellFound(found, signal)
    await this.#watch.watchFiles()
    return true
  }

  /** Looks again and again until it can be told what is. */
  async #lookAgain(signal: AbortSignal): Promise<void> {
    this.#watch.heartbeat.begin()
    for (let ms = firstLookMs; !signal.aborted; ms = Math.min(longestLookMs, ms * 2)) {
      const found = await lookAt(this.#box, this.#watch, signal)
      if (found.is !== 'unknown') return void (await this.#tellFound(found, signal))
      await this.#watch.heartbeat.answerOr(ms, signal)
    }
  }
}
