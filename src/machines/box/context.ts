import type { BoxCommand } from '../events.ts'
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
})

/** What a new VMM begins with. */
export const newIncarnation = ({ restart, reboots }: BoxContext): Partial<BoxContext> => ({
  open: true,
  ...nothingYet,
  restart: { ...restart, due: false, delayMs: null },
  reboots: { ...reboots, recent: [] },
})
