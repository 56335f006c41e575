import type { Box, BoxOptions, BoxRuntime } from 'boxledger'
import { pathOf, snapshotsOf } from 'boxledger/machines'
import { waitFor } from 'xstate'
import { smallGuest } from '../../support/vmms.ts'

/** Program of a VMM and its first arguments. */
export type Binary = string | readonly string[]

/** What a scenario has in the process that is to be killed. */
export interface Stage {
  readonly home: string
  readonly runtime: BoxRuntime
  /** from now on boundaries count */
  begin(): void
  /** notes that a caller was answered: how the box is now has to outlive everything */
  acknowledge(box: Box): Promise<void>
  /** the same of a box that is removed */
  acknowledgeRemoval(id: string): void
  /** the next write to the ledger is rejected, though it is done */
  rejectNextFlush(): void
}

export interface Scenario {
  /** makes the home ready, in a process that is not killed */
  readonly prepare?: (home: string, binary: Binary) => Promise<void>
  /** boundaries count from the opening of the home on, else from `begin` */
  readonly fromOpening?: true
  /** boxes of an earlier owner are taken up */
  readonly recovers?: true
  readonly run: (stage: Stage) => Promise<void>
  /** its own VMM, where none that there is will do */
  readonly vmm?: (home: string) => Binary
  /** takes away what it had put in the way, before the home is opened again */
  readonly mend?: (home: string) => void
  /** somebody else pauses its VM */
  readonly pausesFromOutside?: true
  /** the agents of its guests are programs of the process that is to be killed */
  readonly hasAgent?: true
  /** its guest does not stay up */
  readonly endsItself?: true
  /** so many `ms` its clock is behind: all that it asks for was asked for long ago */
  readonly behindMs?: number
  /** a real VMM can show it too */
  readonly real?: true
}

/** The small guest ignores its power button: the ladder is climbed to its end. */
const stopTimeoutMs = 200

/** Options of a box with the small guest, in one of its modes; `fault` is one of the emulator's. */
export const small = (mode = 'idle', fault?: string): BoxOptions & { name: string } => {
  const { kernel, cmdline } = smallGuest(mode)
  const words = fault === undefined ? cmdline : `${cmdline} boxledger.fault=${fault}`
  return { name: 'it', image: { kernel, cmdline: words }, memoryMib: 64, stopTimeoutMs }
}

export async function started(runtime: BoxRuntime, options: BoxOptions = small()): Promise<Box> {
  const box = await runtime.create(options)
  await box.start()
  return box
}

/** Resolves when the box is on its way nowhere: as it will be until somebody does something. */
export async function settled(box: Box): Promise<void> {
  const { state } = await box.waitFor(
    ({ recovering, state, restartAt, health }) =>
      !recovering &&
      restartAt === undefined &&
      !['starting', 'stopping', 'removing'].includes(state) &&
      // One that is asked how it is will tell.
      !(state === 'running' && health === 'starting'),
    { timeoutMs: 30_000 },
  )
  if (state === 'removed' || state === 'unknown') return
  await waitFor(box.actor, ({ context }) => !snapshotsOf(context).kept.some(({ leaving }) => leaving), {
    timeout: 30_000,
  })
  if (state !== 'running' && state !== 'paused') return
  // A pause or a snapshot under way does not show in the public state.
  const isSteady = (path: string) => path === 'running.steady' || path === 'paused.held'
  await waitFor(box.actor, ({ value }) => isSteady(pathOf(value)), { timeout: 30_000 })
}
