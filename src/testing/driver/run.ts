import { attach, request, type Task } from './task.ts'

export async function pauseVm(task: Task): Promise<void> {
  await change(task, 'paused')
}

export async function resumeVm(task: Task): Promise<void> {
  await change(task, 'running')
}

/** What the VMM says of it is told by the watch; here only what became of the call. */
async function change(task: Task, wanted: 'paused' | 'running'): Promise<void> {
  const { box, recovered, watch } = task
  if ((recovered || box.vmm === undefined) && !(await attach(task))) return
  const { vmm } = box
  if (vmm === undefined) return
  if (vmm.vm === wanted) return box.tell(wanted === 'paused' ? { type: 'vm.paused' } : { type: 'vm.resumed' })
  const pausing = wanted === 'paused'
  const answer = await request(task, pausing ? 'vm.pause' : 'vm.resume', () =>
    pausing ? vmm.pause() : vmm.resume(),
  )
  if (answer === 'done') return watch.read()
  if (answer === 'cut' && !vmm.isAlive) return
  const failure = {
    code: 'VMM_GONE',
    message: `It was ${answer === 'cut' ? 'cut off' : 'refused'}, by the script`,
  }
  await box.tell(pausing ? { type: 'pause.failed', ...failure } : { type: 'resume.failed', ...failure })
}
