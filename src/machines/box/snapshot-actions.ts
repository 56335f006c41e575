import type { StampedEvent } from '../events.ts'
import { snapshotsOf, withSnapshots } from '../snapshots.ts'
import type { BoxContext } from '../state.ts'
import { change } from './change.ts'

/** The step fills in the version of the record. */
const intent = (context: BoxContext, event: StampedEvent, holds: boolean): Partial<BoxContext> =>
  event.type === 'snapshot.requested'
    ? withSnapshots(context, {
        saving: {
          name: event.name,
          at: event.at,
          version: 0,
          holds,
          ...(event.forClone ? { forClone: true } : {}),
          ...(event.disksMib === undefined ? {} : { disksMib: event.disksMib }),
          written: false,
        },
      })
    : {}

const nameIn = (event: StampedEvent) => ('name' in event ? event.name : undefined)

/** What is remembered of snapshots. */
export const snapshotActions = {
  intendSnapshot: change(({ context, event }) => intent(context, event, true)),
  intendHeldSnapshot: change(({ context, event }) => intent(context, event, false)),
  noteWritten: change(({ context }) => {
    const { saving } = snapshotsOf(context)
    return saving === null ? {} : withSnapshots(context, { saving: { ...saving, written: true } })
  }),
  abandonSnapshot: change(({ context }) => {
    const { saving } = snapshotsOf(context)
    return saving === null ? {} : withSnapshots(context, { saving: { ...saving, written: false } })
  }),
  beginWithTemplate: change(({ context, event }) =>
    event.type === 'start.stage' && event.template !== undefined
      ? withSnapshots(context, { origin: event.template })
      : {},
  ),
  intendBoot: change(({ context }) => ({ next: 'start', ...withSnapshots(context, { boots: true }) })),
  dropSnapshot: change(({ context }) => (context.snapshots ? withSnapshots(context, { saving: null }) : {})),
  keepSnapshot: change(({ context, event }) => {
    const { saving, kept } = snapshotsOf(context)
    if (saving === null || event.type !== 'snapshot.committed') return {}
    const { name, at, version, forClone } = saving
    const { bytes, vmm } = event
    return withSnapshots(context, {
      saving: null,
      kept: [...kept, { name, at, version, bytes, vmm, ...(forClone ? { forClone } : {}) }],
    })
  }),
  markSnapshot: change(({ context, event }) =>
    withSnapshots(context, {
      kept: snapshotsOf(context).kept.map(each =>
        each.name === nameIn(event) ? { ...each, leaving: true } : each,
      ),
    }),
  ),
  unmarkSnapshot: change(({ context, event }) =>
    withSnapshots(context, {
      kept: snapshotsOf(context).kept.map(each => {
        const { leaving: _, ...staying } = each
        return each.name === nameIn(event) ? staying : each
      }),
    }),
  ),
  forgetSnapshot: change(({ context, event }) =>
    withSnapshots(context, { kept: snapshotsOf(context).kept.filter(({ name }) => name !== nameIn(event)) }),
  ),
  forgetSnapshots: change(({ context }) =>
    context.snapshots ? withSnapshots(context, { kept: [], origin: null }) : {},
  ),
}
