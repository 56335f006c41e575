import type { CallName } from '../host/behaviour.ts'
import type { Answer } from '../host/simulated-vmm.ts'
import { closed, type Incarnation } from './incarnation.ts'
import { type Found, findVmm, lookAt } from './look.ts'
import { neverMade, type Watch } from './watch.ts'

/** One effect under way. */
export interface Task {
  readonly box: Incarnation
  readonly watch: Watch
  /** the machine does not wait for its outcome any more */
  readonly signal: AbortSignal
  /** an earlier engine may have begun it */
  readonly recovered: boolean
  /** resolves when no spawn of this driver is under way */
  readonly spawned: () => Promise<void>
}

/** Makes a call to the VMM. Rejects once nobody waits for it; what was sent takes effect all the same. */
export async function request(
  { box, watch, signal }: Task,
  name: CallName,
  act: () => void,
): Promise<Answer> {
  const { vmm } = box
  if (vmm === undefined) return 'cut'
  box.calls += 1
  watch.reviewSilence()
  try {
    return await Promise.race([vmm.request(box.call(name), act), aborted(signal)])
  } finally {
    box.calls -= 1
    watch.reviewSilence()
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const off = () => reject(closed)
    if (signal.aborted) off()
    else signal.addEventListener('abort', off, { once: true })
  })
}

/** Tells what a look has found; true if the incarnation is there to be worked on. */
export async function tellFound({ box, watch }: Pick<Task, 'box' | 'watch'>, found: Found): Promise<boolean> {
  if (found.is === 'unknown') await box.tell({ type: 'box.unknown', reason: found.reason })
  else if (found.is === 'host-rebooted') await box.tell({ type: 'host.rebooted' })
  else if (found.is === 'unmade') await watch.end(neverMade)
  else if (found.is === 'dead') await watch.end()
  else if (found.is === 'alive' && box.vmm !== undefined) {
    await watch.read()
    await box.tell({ type: 'vmm.adopted', process: box.vmm.process, vm: found.vm })
    box.context = { ...box.context, unknownReason: null }
    return true
  }
  return false
}

/** Finds the VMM of an earlier engine, and all that it said meanwhile; tells where there is none to work on. */
export async function attach(task: Task): Promise<boolean> {
  return attachTo(task, await lookAt(task.box, task.watch, task.signal))
}

/** The same, where its process is enough: it may be silent. */
export async function find(task: Task): Promise<boolean> {
  return attachTo(task, await findVmm(task.box, task.watch, task.signal))
}

async function attachTo(task: Task, found: Found): Promise<boolean> {
  if (found.is !== 'alive') return tellFound(task, found)
  await task.watch.read()
  return true
}
