import { snapshotsOf } from '../../machines/index.ts'
import type { Fact } from './incarnation.ts'
import { findVmm } from './look.ts'
import { attach, request, type Task } from './task.ts'
import { neverMade } from './watch.ts'

const failed = (code: string, message: string): Fact => ({ type: 'start.failed', code, message })

export async function prepareFiles({ box, signal }: Task): Promise<void> {
  const { ms, outcome, code = 'VMM_NOT_FOUND' } = box.call('prepare')
  await box.pause(ms, signal)
  if (outcome !== 'done') return box.tell(failed(code, 'Its files could not be made ready, by the script'))
  box.world.host.makeFiles(box.start.box)
  const { origin, boots } = snapshotsOf(box.context)
  const isWarm = box.behaviour.isWarm === true && origin === null && boots !== true
  const template = isWarm ? { template: { image: 'builtin', template: 'simulated000' } } : {}
  await box.tell({ type: 'start.stage', stage: 'spawning', ...template })
}

export async function spawnVmm({ box, watch, signal, recovered }: Task): Promise<void> {
  if (recovered) {
    const found = await findVmm(box, watch, signal)
    if (found.is === 'unknown') return box.tell({ type: 'box.unknown', reason: found.reason })
    if (found.is === 'alive' && box.vmm) return box.tell({ type: 'vmm.spawned', process: box.vmm.process })
    if (found.is === 'dead') return watch.end()
    if (found.is === 'host-rebooted') return watch.end(neverMade)
  }
  const { ms, answerMs, outcome, code = 'VMM_START_FAILED' } = box.call('spawn')
  // The engine itself makes the process: it is made, or not, when the engine dies.
  await box.pause(ms, signal)
  if (outcome === 'refused') return box.tell(failed(code, 'The VMM could not be made, by the script'))
  const vmm = box.world.host.spawn(box.start, box.behaviour)
  box.isParent = true
  if (outcome === 'dies') vmm.end({ exitCode: 1 })
  await box.pause(answerMs)
  const told = box.tell({ type: 'vmm.spawned', process: vmm.process })
  watch.follow(vmm)
  await told
}

export async function awaitVmm(task: Task): Promise<void> {
  const { box } = task
  if (box.vmm === undefined && !(await attach(task))) return
  const answer = await request(task, 'connect', () => {})
  if (answer === 'done') await box.tell({ type: 'vmm.ready', version: 'v53.0' })
  else if (answer === 'refused')
    await box.tell(failed('IDENTITY_MISMATCH', 'Another VMM answers, by the script'))
}

export async function createVm(task: Task): Promise<void> {
  const { box, recovered } = task
  if ((recovered || box.vmm === undefined) && !(await attach(task))) return
  const answer = box.vmm?.vm === 'none' ? await request(task, 'vm.create', () => box.vmm?.create()) : 'done'
  if (answer === 'done') await box.tell({ type: 'vm.created' })
  else await tellBootFailure(task, answer)
}

export async function bootVm(task: Task): Promise<void> {
  const { box, recovered, watch } = task
  const before = box.context.startedAt
  if ((recovered || box.vmm === undefined) && !(await attach(task))) return
  const { vmm } = box
  if (vmm === undefined) return
  if (vmm.vm === 'none') return box.tell(failed('BOOT_FAILED', 'The VMM has no VM, though one was created'))
  if (recovered && vmm.vm !== 'created') return watch.tellBooted()
  if (recovered && vmm.events.length > 0) return // booted, and off again: both are told
  if (recovered && vmm.exit.last === 'booting' && before === null)
    return box.tell(failed('BOOT_FAILED', 'The boot was begun and not completed'))
  vmm.beginBoot()
  const answer = await request(task, 'vm.boot', () => vmm.boot())
  if (answer === 'done') await watch.tellBooted()
  else await tellBootFailure(task, answer)
}

/** A VMM that has ended meanwhile is told as such, by the watch. */
async function tellBootFailure({ box, signal }: Task, answer: 'refused' | 'cut'): Promise<void> {
  if (answer === 'cut' && !box.vmm?.isAlive) return
  if (signal.aborted) return
  const message = answer === 'cut' ? 'The answer was cut off, by the script' : 'It was refused, by the script'
  await box.tell({ type: 'start.failed', code: 'BOOT_FAILED', message, details: { vmm: [message] } })
}
