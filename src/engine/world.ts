import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { customAlphabet } from 'nanoid'

/** The time, as the engine knows it; tests bring their own. */
export interface Clock {
  /** in `ms since 1970` */
  now(): number
  /** in `ms`, never going back */
  monotonic(): number
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
}

/** Where chance and time come from. */
export interface World {
  readonly clock: Clock
  /** a new ID, of a box or of what is made for one: 12 characters of [0-9a-z] */
  readonly boxId: () => string
  /** in [0, 1) */
  readonly random: () => number
  readonly bootId: string
  readonly cores: number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, Math.min(ms, 0x7fffffff)).unref(),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout),
}

/** An ID: 12 characters of [0-9a-z], so many that no two are the same. */
export const newId = customAlphabet('0123456789abcdefghijklmnopqrstuvwxyz', 12)

/** Tells one boot of the host from another. */
function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

export function worldOf(wanted: Partial<World>): World {
  return {
    clock: wanted.clock ?? systemClock,
    boxId: wanted.boxId ?? (() => newId()),
    random: wanted.random ?? Math.random,
    bootId: wanted.bootId ?? readBootId(),
    cores: wanted.cores ?? availableParallelism(),
  }
}
