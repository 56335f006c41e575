import type { BoxCommand, StampedEvent } from '../events.ts'
import { isTemplate, type Origin, snapshotsOf, withSnapshots } from '../snapshots.ts'
import type { BoxSpec } from '../spec.ts'
import type { BoxContext, SeenOfGuest } from '../state.ts'

export type Created = Extract<BoxCommand, { type: 'box.created' }> & { readonly at: number }

const nothingSeen: SeenOfGuest = {
  ready: false,
  readyAt: null,
  poweredOff: false,
  panicked: false,
  commandExit: null,
  health: null,
}

/** What is known of a VMM before it is made. */
const nothingYet = {
  process: null,
  vmmVersion: null,
  startedAt: null,
  stop: null,
  next: null,
  failure: null,
  seen: nothingSeen,
  ending: null,
  unknownReason: null,
  eventOffset: 0,
} satisfies Partial<BoxContext>

/** XState calls the factory without an input too, when it sets itself up. */
export const contextOf = ({ input }: { input: Created | undefined }): BoxContext => ({
  id: input?.id ?? '',
  name: input?.name ?? null,
  labels: input?.labels ?? {},
  spec: input?.spec as BoxSpec,
  createdAt: input?.at ?? 0,
  incarnation: 0,
  open: false,
  ...nothingYet,
  restart: { count: 0, attempts: 0, due: false, delayMs: null },
  reboots: { count: 0, recent: [] },
  ...(input?.origin === undefined ? {} : withSnapshots({}, { origin: input.origin })),
  ...(input?.makes === undefined ? {} : withSnapshots({}, { makes: input.makes })),
})

/** What a new VMM begins with; `origin`: with which snapshot, instead of a boot. */
export const newIncarnation = (
  context: BoxContext,
  { origin = null, boots = false }: { readonly origin?: Origin | null; readonly boots?: boolean } = {},
): Partial<BoxContext> => ({
  open: true,
  ...nothingYet,
  restart: { ...context.restart, due: false, delayMs: null },
  reboots: { ...context.reboots, recent: [] },
  ...(context.snapshots || origin || boots ? begunWith(context, origin, boots) : {}),
})

const begunWith = (context: BoxContext, origin: Origin | null, boots: boolean): Partial<BoxContext> => {
  const { boots: _, ...rest } = snapshotsOf(context)
  return { snapshots: { ...rest, saving: null, origin, ...(boots ? { boots } : {}) } }
}

/** Which snapshot the incarnation that an event asks for begins with: a clone's first one has that of its making. */
export const originOf = (context: BoxContext, event: StampedEvent): Origin | null => {
  if (event.type === 'start.requested' && event.snapshot !== undefined)
    return { box: context.id, name: event.snapshot }
  return context.incarnation === 0 ? snapshotsOf(context).origin : null
}

/** Whether that incarnation boots whatever templates there are: the one before has tried one in vain, or it is asked for. */
export const bootsNext = (context: BoxContext, event: StampedEvent): boolean => {
  const { origin, boots = false } = snapshotsOf(context)
  return (event.type === 'start.requested' && event.boots === true) || (boots && isTemplate(origin))
}
