import type { RunsOnHost } from '../../vmm/index.ts'
import type { SimulatedHost } from './simulated-host.ts'

/** What the simulated host has of incarnations. */
export function simulatedRuns(host: SimulatedHost): RunsOnHost {
  return {
    living: () =>
      host.alive.map(({ start: { box, incarnation }, process }) => ({ box, incarnation, process })),
    highest: (_, box) => host.lastOf(box)?.start.incarnation ?? 0,
    mayLive: (_, box, incarnation) => host.vmmOf(box)?.start.incarnation === incarnation,
  }
}
