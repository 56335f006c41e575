import { isTemplate, snapshotsOf } from '../../machines/index.ts'
import { attach, request, type Task } from './task.ts'

const againMs = 200
const byScript = (what: string) => ({ code: 'ENGINE_FAILED', message: `${what}, by the script` })

export async function saveVm(task: Task): Promise<void> {
  const { box, recovered, watch } = task
  const { saving } = snapshotsOf(box.context)
  if (saving === null || ((recovered || box.vmm === undefined) && !(await attach(task)))) return
  const { vmm } = box
  const { name } = saving
  const fail = (message: string) => box.tell({ type: 'snapshot.failed', name, code: 'ABORTED', message })
  if (vmm === undefined) return
  if (recovered) return fail('The engine that made it has ended')
  const paused = vmm.vm === 'paused' ? 'done' : await request(task, 'vm.pause', () => vmm.pause())
  await watch.read()
  const answer =
    paused === 'done'
      ? await request(task, 'vm.snapshot', () => box.world.host.writeSnapshot(box.start.box, name))
      : paused
  if (answer === 'done') return box.tell({ type: 'snapshot.written', name })
  if (answer === 'cut' && !vmm.isAlive) return
  await box.tell({ type: 'snapshot.failed', name, ...byScript(`It was ${answer}`) })
}

export async function releaseVm(task: Task): Promise<void> {
  const { box, recovered, watch, signal } = task
  if ((recovered || box.vmm === undefined) && !(await attach(task))) return
  const { vmm } = box
  while (vmm?.isAlive) {
    if (vmm.vm === 'running') {
      await watch.read()
      if (!signal.aborted) await box.tell({ type: 'vm.resumed' })
      return
    }
    const answer = await request(task, 'vm.resume', () => vmm.resume())
    if (answer === 'done') return watch.read()
    if (answer === 'refused') return box.tell({ type: 'resume.failed', ...byScript('It was refused') })
    await box.pause(againMs, signal)
  }
}

export async function commitSnapshot(task: Task): Promise<void> {
  const { box, recovered } = task
  const { saving } = snapshotsOf(box.context)
  if (saving === null || ((recovered || box.vmm === undefined) && !(await attach(task)))) return
  const bytes = box.start.spec.memoryMib << 20
  await box.tell({ type: 'snapshot.committed', name: saving.name, bytes, vmm: 'v53.0' })
}

export async function restoreVm(task: Task): Promise<void> {
  const { box, recovered } = task
  const { origin } = snapshotsOf(box.context)
  if (origin === null || ((recovered || box.vmm === undefined) && !(await attach(task)))) return
  const { vmm } = box
  if (vmm === undefined) return
  const fail = (code: string, message: string) => box.tell({ type: 'start.failed', code, message })
  const isStale = isTemplate(origin)
  if (!isStale && !box.world.host.hasSnapshot(origin.box, origin.name))
    return fail('NOT_FOUND', 'There is no such snapshot')
  const made = vmm.vm === 'none' ? await request(task, 'vm.restore', () => vmm.restore({ isStale })) : 'done'
  const runs =
    made === 'done' && vmm.vm === 'paused' ? await request(task, 'vm.resume', () => vmm.resume()) : made
  if (runs === 'done')
    return box.tell({ type: 'snapshot.restored', ...origin, guest: isStale ? 'stale' : 'ready' })
  if (runs === 'cut' && !vmm.isAlive) return
  await fail('BOOT_FAILED', `The answer was ${runs}, by the script`)
}
