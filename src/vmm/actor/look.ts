import type { VmPresence } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import type { VmInfo } from '../cloud-hypervisor/client.ts'
import { uuidIn } from '../cloud-hypervisor/echo.ts'
import { quirksOf } from '../cloud-hypervisor/quirks.ts'
import { readBootId, readPidNamespace } from '../host/identity.ts'
import { messageOf } from './failures.ts'
import type { Incarnation } from './incarnation.ts'
import { findProcess, settleLife } from './life.ts'
import { pause } from './wait.ts'
import type { Watch } from './watch.ts'

/** What a look at an incarnation found; it reads only. */
export type Found =
  | { readonly is: 'alive'; readonly vm: VmPresence }
  | { readonly is: 'dead' | 'unmade' | 'host-rebooted' }
  | { readonly is: 'unknown'; readonly reason: string }

/** How long a VMM that lives may take to answer, in `ms`. */
const answerMs = 10_000

/** Looks at an incarnation from the process to its VM. "Could not look" is never "dead". */
export async function lookAt(box: Incarnation, watch: Watch, signal: AbortSignal): Promise<Found> {
  const found = await findVmmOf(box, watch, signal)
  if (found.is !== 'alive') return found
  try {
    return await askVmm(box, watch, signal)
  } catch (error) {
    return { is: 'unknown', reason: messageOf(error) }
  }
}

/** Looks for the process only; of its VM it says nothing. */
export async function findVmmOf(box: Incarnation, watch: Watch, signal: AbortSignal): Promise<Found> {
  try {
    const { process } = box
    const life = await settleLife(box, signal)
    if (typeof life === 'object') return { is: 'unknown', reason: life.unknown }
    // A lock that is held contradicts a boot in between: the home may be another host's too.
    if (process !== null && process.bootId !== readBootId()) return { is: 'host-rebooted' }
    if (life !== 'alive') return { is: life }
    if (box.process === null && !(await findProcess(box, signal))) {
      const again = await settleLife(box, signal)
      if (again === 'dead') return { is: 'dead' }
      return { is: 'unknown', reason: 'the VMM lives, but its process is not to be found' }
    }
    watch.watchProcess()
    return { is: 'alive', vm: 'none' }
  } catch (error) {
    return { is: 'unknown', reason: messageOf(error) }
  }
}

async function askVmm(box: Incarnation, watch: Watch, signal: AbortSignal): Promise<Found> {
  const began = performance.now()
  let reason = 'its socket does not answer'
  while (performance.now() - began < answerMs && !signal.aborted) {
    if (await watch.connect()) {
      try {
        return await identify(box, signal)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        reason = error.message
      }
    }
    const life = await settleLife(box, signal)
    if (life === 'dead') return { is: 'dead' }
    await pause(50, signal)
  }
  return { is: 'unknown', reason: `the VMM lives, but ${reason}` }
}

async function identify(box: Incarnation, signal: AbortSignal): Promise<Found> {
  const { version, pid } = await box.client.ping({ signal })
  const here = box.process?.pidNamespace === readPidNamespace()
  if (here && pid !== undefined && pid !== box.process?.pid)
    return { is: 'unknown', reason: `the VMM that answers is process ${pid}, not ${box.process?.pid}` }
  box.quirks = quirksOf(version)
  const info: VmInfo | undefined = await box.client.info({ signal })
  if (info && uuidIn(info.config) !== box.uuid)
    return { is: 'unknown', reason: 'the VM that answers is not that of this box: its UUID differs' }
  return { is: 'alive', vm: info?.vm ?? 'none' }
}
