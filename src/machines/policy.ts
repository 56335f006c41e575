import { type Ending, stateAfter } from './ending.ts'
import { defaultBackoff, type RestartSpec } from './spec.ts'

/** Guest reboots within {@link loopWindowMs} that are a loop. */
const loopReboots = 5
const loopWindowMs = 60_000

/** Whether a policy starts a box again after such an ending. A stop that was asked for beats every policy. */
export function restartsAfter({ policy }: RestartSpec, { cause, exitCode }: Ending): boolean {
  if (policy === 'no' || cause === 'requested') return false
  if (policy === 'on-failure') return stateAfter(cause) !== 'stopped' || (exitCode ?? 0) !== 0
  return true
}

export function hasRetriesLeft({ maxRetries }: RestartSpec, attempts: number): boolean {
  return maxRetries === undefined || attempts < maxRetries
}

/**
 * How long to wait before the next start, in `ms`: exponential, bounded, and spread by `jitter`, so that boxes that fell
 * together do not rise together. `random` is in [0, 1).
 */
export function backoffMs({ backoff }: RestartSpec, attempts: number, random: number): number {
  const { initialMs, factor, maxMs, jitter } = backoff ?? defaultBackoff
  const delay = Math.min(maxMs, initialMs * factor ** attempts)
  return Math.round(Math.min(maxMs, delay * (1 + jitter * (2 * random - 1))))
}

/** Times of the reboots that still count, the new ones among them. */
export function recentReboots(recent: readonly number[], at: number, count: number): readonly number[] {
  const times = [...recent, ...Array.from({ length: Math.min(count, loopReboots) }, () => at)]
  return times.filter(time => at - time < loopWindowMs).slice(-loopReboots)
}

export function isRebootLoop(recent: readonly number[]): boolean {
  return recent.length >= loopReboots
}
