import type { VmPresence } from '../../machines/index.ts'
import type { Incarnation } from './incarnation.ts'
import type { Watch } from './watch.ts'

export type Found =
  | { readonly is: 'alive'; readonly vm: VmPresence }
  | { readonly is: 'dead' | 'unmade' | 'host-rebooted' }
  | { readonly is: 'unknown'; readonly reason: string }

/** How long a VMM that lives may take to answer a look, in `ms`. */
const answerMs = 10_000

/** Looks at an incarnation from the process to its VM; it reads only. */
export async function lookAt(box: Incarnation, watch: Watch, signal: AbortSignal): Promise<Found> {
  const found = await findVmm(box, watch, signal)
  if (found.is !== 'alive' || box.vmm === undefined) return found
  const { vmm } = box
  await Promise.race([vmm.heard(), box.pause(answerMs, signal)])
  if (!vmm.isAlive) return { is: 'dead' }
  if (vmm.isMute) return { is: 'unknown', reason: 'the VMM lives, but its socket does not answer' }
  return { is: 'alive', vm: vmm.vm }
}

/** Looks for the process only. */
export async function findVmm(box: Incarnation, watch: Watch, signal: AbortSignal): Promise<Found> {
  const { ms, outcome } = box.call('look')
  await box.pause(ms, signal)
  if (outcome !== 'done') return { is: 'unknown', reason: 'it could not be looked at, by the script' }
  const { host } = box.world
  const trace = host.trace(box.start.box, box.start.incarnation)
  if (trace?.isAlive) {
    watch.follow(trace)
    return { is: 'alive', vm: 'none' }
  }
  if (box.context.process !== null && box.context.process.bootId !== host.bootId)
    return { is: 'host-rebooted' }
  if (trace === undefined) return { is: 'unmade' }
  box.vmm ??= trace
  return { is: 'dead' }
}
