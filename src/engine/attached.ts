import { BoxError, type Head, type StopMode } from '../machines/index.ts'
import { within } from './time-limit.ts'
import type { Waiting } from './waiting.ts'
import type { Clock } from './world.ts'

/** How long a box that is not to outlive its owner has to go down, by force, then by a kill, in `ms`. */
const forceMs = 4_000
const killMs = 1_000

/** Boxes that are up, or on their way, and end with their owner. */
export function attachedOf(heads: Iterable<Head>): Head[] {
  return [...heads].filter(({ state: { context } }) => context.open && !context.spec.detach)
}

/** Submits a stop for the owner's own sake. */
export type Stop = (box: string, mode: StopMode, reason: string) => Promise<void>

/** Ends boxes whose owner closes the home; one that does not go is left to the next owner, who has it recorded. */
export async function endAttached(
  heads: readonly Head[],
  waiting: Waiting,
  stop: Stop,
  now: (box: string) => Head | undefined,
  clock: Clock,
): Promise<void> {
  const reason = 'The owner closed the home, and the box was not to outlive it'
  await Promise.all(
    heads.map(async head => {
      for (const [mode, limitMs] of [
        ['force', forceMs],
        ['kill', killMs],
      ] as const) {
        // It may have to wait for the disk, and closing does not wait for it longer than for the box.
        stop(head.box, mode, reason).catch(error => {
          if (!BoxError.is(error)) throw error
        })
        if (await isDownWithin(now(head.box), waiting, limitMs, clock)) return
      }
    }),
  )
}

async function isDownWithin(
  head: Head | undefined,
  waiting: Waiting,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  const over = (now: Head) => !now.state.context.open || undefined
  if (head === undefined) return true
  try {
    return await within(clock, ms, signal => waiting.for(head, over, signal))
  } catch (error) {
    if (BoxError.is(error, 'ABORTED')) return false
    throw error
  }
}
