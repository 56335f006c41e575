import { fromCallback } from 'xstate'
import type { ExecutionFact, KillReason } from '../machines/index.ts'
import type { GuestChannel, Program, ProgramSpec } from '../vmm/index.ts'
import type { Clock } from './world.ts'

/** How long a program that is killed may take to be gone, in `ms`. */
const goneMs = 3_000

export interface ExecutionInput {
  readonly incarnation: number
  readonly channel: GuestChannel
  readonly program: ProgramSpec
  readonly timeoutMs: number | undefined
  readonly clock: Clock
  /** its program was told to begin */
  readonly onBegun: (program: Program) => void
  readonly tell: (fact: ExecutionFact) => void
}

/** Asks that the program be killed, with all that it has started. */
export interface KillEvent {
  readonly type: 'kill'
  readonly reason: KillReason
}

/** Runs one command in a guest, and tells how it ended. Stopped, it kills the command and tells nothing more. */
export const executionActor = fromCallback<KillEvent, ExecutionInput>(({ input, receive }) => {
  const { incarnation, channel, clock, tell, timeoutMs } = input
  let reason: KillReason | undefined
  let isOver = false
  let gone: unknown
  const program = channel.run(input.program)
  const kill = (why: KillReason) => {
    if (isOver || reason !== undefined) return
    reason = why
    program.destroy()
    gone = clock.setTimeout(() => channel.abandon(program), goneMs)
  }
  const limit = timeoutMs === undefined ? undefined : clock.setTimeout(() => kill('timed-out'), timeoutMs)
  const end = () => {
    isOver = true
    clock.clearTimeout(limit)
    clock.clearTimeout(gone)
  }
  program.ended.then(
    ({ exitCode, signal }) => {
      if (isOver) return
      end()
      tell({
        type: 'exec.ended',
        incarnation,
        exitCode,
        ...(signal === undefined ? {} : { signal }),
        ...(reason === undefined ? {} : { reason }),
      })
    },
    (error: Error) => {
      if (isOver) return
      end()
      tell({ type: 'exec.lost', incarnation, reason: error.message })
    },
  )
  receive(event => kill(event.reason))
  input.onBegun(program)
  return () => {
    if (!isOver) program.destroy()
    end()
  }
})
