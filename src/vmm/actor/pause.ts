import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { callFailure } from './failures.ts'
import type { Task } from './task.ts'

export async function pauseVm(task: Task): Promise<void> {
  await change(task, 'paused')
}

export async function resumeVm(task: Task): Promise<void> {
  await change(task, 'running')
}

/** Asks only where it is not so already: the VMM refuses to pause what is paused. */
async function change(task: Task, wanted: 'paused' | 'running'): Promise<void> {
  const { box, signal, recovered, watch } = task
  if (recovered && !(await task.attach())) return
  const pausing = wanted === 'paused'
  try {
    await watch.events.tellChange(pausing ? 'vm/paused' : 'vm/resumed', signal, async () => {
      if ((await box.client.info({ signal }))?.vm === wanted) return
      await box.client.act(pausing ? 'vm.pause' : 'vm.resume', { signal })
    })
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (signal.aborted) return
    if (error.kind === 'cut' && (await watch.tellIfDead(signal))) return
    await box.tell({ type: pausing ? 'pause.failed' : 'resume.failed', ...callFailure(error) })
  }
}
