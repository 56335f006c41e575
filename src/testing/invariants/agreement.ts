import { type Head, isTemplate, publicStateOf, snapshotsOf } from '../../machines/index.ts'
import type { SimulatedHost } from '../host/simulated-host.ts'
import type { InvariantName } from './violation.ts'

export interface Disagreement {
  readonly invariant: InvariantName
  readonly message: string
}

/**
 * Holds a box's head against the host, and other heads; undefined if they agree. A box that is on its way somewhere does
 * not yet.
 */
export function disagreement(
  head: Head,
  host: SimulatedHost,
  heads: Iterable<Head>,
): Disagreement | undefined {
  const { box, state } = head
  const { context, value } = state
  const name = publicStateOf(value)
  const vmm = host.vmmOf(box)
  const wrong = (message: string): Disagreement => ({
    invariant: 'agreement',
    message: `it is ${name}, and ${message}`,
  })
  if (name === 'removed') return leftOf(box, host)
  for (const kept of snapshotsOf(context).kept)
    if (!kept.leaving && !host.hasSnapshot(box, kept.name))
      return wrong(`its snapshot ${kept.name} is not there`)
  const forClone = snapshotsOf(context).kept.find(kept => kept.forClone)
  if (forClone !== undefined && ![...heads].some(other => mayBeginWith(other, box, forClone.name)))
    return {
      invariant: 'nothing-left',
      message: `${forClone.name} is there, and no clone is to begin with it`,
    }
  if (name === 'starting' || name === 'stopping' || name === 'removing')
    return wrong('does not come to the end of it')
  if (name === 'unknown') return vmm?.isMute ? undefined : wrong('can be looked at')
  if (name === 'running' || name === 'paused') {
    if (vmm === undefined) return wrong('no VMM lives')
    if (vmm.isMute) return undefined
    if (vmm.start.incarnation !== context.incarnation || vmm.process.pid !== context.process?.pid)
      return wrong(`the VMM that lives is process ${vmm.process.pid} of incarnation ${vmm.start.incarnation}`)
    if (vmm.vm !== name) return wrong(`its VM is ${vmm.vm}`)
    const missing = vmm.events.slice(context.eventOffset).find(({ type }) => type !== 'vm.booted')
    // A boot is told by its answer too, which has no place among the events.
    return missing && { invariant: 'said-once', message: `${missing.type} is not recorded` }
  }
  if (vmm !== undefined) return wrong(`VMM ${vmm.start.incarnation} lives`)
  if (context.spec.autoRemove && context.incarnation > 0 && !context.restart.due)
    return { invariant: 'nothing-left', message: `it is ${name} with autoRemove, and is not removed` }
  return undefined
}

function mayBeginWith({ state: { context } }: Head, box: string, snapshot: string): boolean {
  const { origin } = snapshotsOf(context)
  if (origin === null || isTemplate(origin) || context.startedAt !== null) return false
  return origin.box === box && origin.name === snapshot
}

export function leftOf(box: string, host: SimulatedHost): Disagreement | undefined {
  if (host.vmmOf(box) !== undefined)
    return { invariant: 'nothing-left', message: 'it is removed, and its VMM lives' }
  if (host.hasFiles(box))
    return { invariant: 'nothing-left', message: 'it is removed, and its files are there' }
  return undefined
}
