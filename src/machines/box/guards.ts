import { stateAfter } from '../ending.ts'
import { isRebootLoop, recentReboots } from '../policy.ts'
import { isTemplate, mostSnapshots, snapshotsOf } from '../snapshots.ts'
import { readyOf, type StopMode } from '../spec.ts'
import type { BoxContext } from '../state.ts'
import { type Args, endingBy, restartIsDueAfter } from './ends.ts'

const modes: readonly StopMode[] = ['graceful', 'force', 'kill']
const isStronger = (a: StopMode, b: StopMode) => modes.indexOf(a) > modes.indexOf(b)

const goesAway = (args: Args) =>
  args.context.next === 'remove' || (args.context.spec.autoRemove && !restartIsDueAfter(args))

const endedByItself = ({ context, event }: Args) =>
  context.seen.poweredOff ||
  context.seen.commandExit !== null ||
  (event.type === 'vmm.exited' && event.commandExitCode !== undefined)

const isThere = (context: BoxContext, wanted: string) =>
  snapshotsOf(context).kept.some(({ name, leaving }) => name === wanted && !leaving)

/** A start is under way that reads it. */
const isBegunWith = (context: BoxContext, wanted: string) => {
  const { origin } = snapshotsOf(context)
  if (origin === null || isTemplate(origin)) return false
  return context.open && context.startedAt === null && origin.box === context.id && origin.name === wanted
}

/** Its guest is still that of a template, and must not be taken for this box's. */
const isStale = (context: BoxContext) =>
  isTemplate(snapshotsOf(context).origin) && context.seen.readyAt === null

/** Questions about the state before an event, and about the event. */
export const guards = {
  isOver: ({ context }: Args) => !context.open,
  restartWanted: ({ context }: Args) => context.next === 'start',
  stopWanted: ({ context }: Args) => context.stop?.cause === 'requested',
  restartIsDue: ({ context }: Args) => context.restart.due,
  goesAway,
  removesItself: ({ context }: Args) => context.spec.autoRemove,
  endsStopped: (args: Args) => stateAfter(endingBy(args).cause) === 'stopped',
  endsFailed: (args: Args) => stateAfter(endingBy(args).cause) === 'failed',
  endedByItself,
  goesAwayByItself: (args: Args) => endedByItself(args) && goesAway(args),
  isForced: ({ event }: Args) => event.type === 'remove.requested' && event.force,
  asksKill: ({ event }: Args) => event.type === 'stop.requested' && event.mode === 'kill',
  asksForce: ({ event }: Args) => event.type === 'stop.requested' && event.mode === 'force',
  asksStrongerKill: ({ context, event }: Args) =>
    event.type === 'stop.requested' &&
    event.mode === 'kill' &&
    isStronger(event.mode, context.stop?.mode ?? 'graceful'),
  asksStrongerForce: ({ context, event }: Args) =>
    event.type === 'stop.requested' &&
    event.mode === 'force' &&
    isStronger(event.mode, context.stop?.mode ?? 'graceful'),
  isUnasked: ({ context }: Args) => context.stop?.cause !== 'requested',
  isForOwner: ({ context, event }: Args) =>
    event.type === 'stop.requested' && event.reason !== undefined && context.stop?.cause !== 'requested',
  beatsRestart: ({ context, event }: Args) => event.type === 'stop.requested' && context.next === 'start',
  readyAtBoot: ({ context }: Args) => readyOf(context.spec) === 'vmm',
  rungFailed: ({ event }: Args) => event.type === 'stop.rung' && event.result === 'failed',
  vmRuns: ({ event }: Args) => event.type === 'vmm.adopted' && event.vm === 'running',
  vmPaused: ({ context, event }: Args) =>
    event.type === 'vmm.adopted' && event.vm === 'paused' && !isStale(context),
  vmAbsent: ({ event }: Args) =>
    event.type === 'vmm.adopted' && (event.vm === 'none' || event.vm === 'created'),
  isStopping: ({ context }: Args) => context.stop !== null || context.failure !== null,
  isRemoving: ({ context }: Args) => context.next === 'remove',
  loops: ({ context, event }: Args) =>
    event.type === 'guest.rebooted' &&
    isRebootLoop(recentReboots(context.reboots.recent, event.at, event.count)),
  neverRan: ({ context }: Args) => context.startedAt === null,
  restores: ({ context }: Args) => snapshotsOf(context).origin !== null,
  startsAsMayBe: ({ context, event }: Args) =>
    event.type !== 'start.requested' || event.snapshot === undefined || isThere(context, event.snapshot),
  restoreCutOff: ({ context }: Args) => context.startedAt === null && snapshotsOf(context).origin !== null,
  beganWarm: ({ context }: Args) => isTemplate(snapshotsOf(context).origin),
  isStale: ({ context }: Args) => isStale(context),
  guestWasReady: ({ event }: Args) => event.type === 'snapshot.restored' && event.guest === 'ready',
  needsNoGuest: ({ context, event }: Args) =>
    event.type === 'snapshot.restored' && event.guest !== 'stale' && readyOf(context.spec) === 'vmm',
  isNewSnapshot: ({ context, event }: Args) =>
    event.type === 'snapshot.requested' &&
    snapshotsOf(context).kept.length < mostSnapshots &&
    snapshotsOf(context).kept.every(({ name }) => name !== event.name),
  isWritten: ({ context }: Args) => snapshotsOf(context).saving?.written === true,
  isHeld: ({ context, event }: Args) =>
    event.type === 'vmm.adopted' && event.vm === 'paused' && snapshotsOf(context).saving?.holds === true,
  mayForget: ({ context, event }: Args) =>
    event.type === 'snapshot.removal.requested' &&
    isThere(context, event.name) &&
    !isBegunWith(context, event.name),
  mayLive: ({ context, event }: Args) => context.open || (event.type === 'incarnation.found' && event.lives),
}
