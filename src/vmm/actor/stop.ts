import type { StopRung } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { lookAtLifeLock } from '../host/proof.ts'
import { signalVmm } from '../host/signal.ts'
import { messageOf } from './failures.ts'
import { findProcess } from './life.ts'
import type { Task } from './task.ts'

/** The power button; a paused guest would never see it. */
export async function pressButton(task: Task): Promise<void> {
  await ring(task, 'power-button', async ({ box, signal }) => {
    const info = await box.client.info({ signal })
    if (info?.vm === 'paused') await box.client.act('vm.resume', { signal })
    await box.client.act('vm.power-button', { signal })
  })
}

/** Cuts the VM's power; there being no power is as good. */
export async function cutPower(task: Task): Promise<void> {
  task.box.cutOff = true
  await ring(task, 'power-cut', async ({ box, signal }) => {
    try {
      await box.client.act('vm.shutdown', { signal })
    } catch (error) {
      if (!(error instanceof ApiError && error.kind === 'absent')) throw error
    }
  })
}

/** Asks the VMM to end. It may be gone before its answer has gone out. */
export function closeVmm(task: Task): Promise<void> {
  return closeAs(task, 'vmm-shutdown')
}

async function closeAs(task: Task, rung: StopRung): Promise<void> {
  task.box.cutOff = true
  await ring(task, rung, async ({ box, signal }) => {
    try {
      await box.client.act('vmm.shutdown', { signal })
    } catch (error) {
      const cut = error instanceof ApiError && error.kind === 'cut'
      const refused = ['ECONNREFUSED', 'ENOENT'].includes(systemCodeOf(error))
      if (!cut || refused) throw error
    }
  })
}

export async function terminateVmm(task: Task): Promise<void> {
  await signal(task, 'terminate', 'SIGTERM')
}

export async function killVmm(task: Task): Promise<void> {
  await signal(task, 'kill', 'SIGKILL')
}

/** Runs one rung and tells what came of it, before the death that it may cause; a VMM that is gone is told as such. */
async function ring(task: Task, rung: StopRung, call: (task: Task) => Promise<void>): Promise<void> {
  const { box, signal, watch, recovered } = task
  await task.spawned()
  if ((recovered || box.process === null) && !(await task.find())) return
  const done = async () => {
    let message: string | undefined
    try {
      await call(task)
    } catch (error) {
      message = messageOf(error)
    }
    if (signal.aborted || (message !== undefined && isDead(task))) return
    await box.tell({
      type: 'stop.rung',
      rung,
      result: message === undefined ? 'done' : 'failed',
      ...(message === undefined ? {} : { message }),
    })
  }
  await watch.duringRung(done())
  if (isDead(task)) await watch.tellIfDead(signal)
}

/** Signals the VMM's process if it is, in the same tick, the one that it should be. */
async function signal(task: Task, rung: StopRung, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { box, signal: given, watch } = task
  box.cutOff = true
  await task.spawned()
  if (await watch.tellIfDead(given)) return
  if (box.process === null && !(await findProcess(box, given))) {
    if (given.aborted || (await watch.tellIfDead(given))) return
    const message = 'The VMM lives, but its process is not to be found'
    return await box.tell({ type: 'stop.rung', rung, result: 'failed', message })
  }
  watch.watchProcess()
  if (box.process === null || given.aborted) return
  box.boundary(`before ${name}`)
  const likeness = signalVmm(box.process, box.files.socket, name)
  box.boundary(`after ${name}`)
  if (likeness === 'gone') {
    await watch.tellIfDead(given)
    return
  }
  // It runs in another pid namespace, where it cannot be signalled from here; its socket reaches it all the same.
  if (likeness === 'elsewhere') return await closeAs(task, rung)
  const message = `Process ${box.process.pid} is not the VMM any more`
  const failed = likeness === 'same' ? {} : { message }
  const result = likeness === 'same' ? 'done' : 'failed'
  await box.tell({ type: 'stop.rung', rung, result, ...failed })
}

function isDead({ box }: Task): boolean {
  try {
    return lookAtLifeLock(box.files.alive) === 'free'
  } catch {
    return false // cannot look: not known to be dead
  }
}

function systemCodeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
  return cause?.code ?? ''
}
