import type { StopRung } from '../../machines/index.ts'
import type { CallName } from '../host/behaviour.ts'
import { findVmm } from './look.ts'
import { find, request, type Task, tellFound } from './task.ts'

export async function pressButton(task: Task): Promise<void> {
  await ring(task, 'power-button', 'vm.power-button', () => {
    task.box.vmm?.resume()
    task.box.vmm?.pressButton()
  })
}

export async function cutPower(task: Task): Promise<void> {
  await ring(task, 'power-cut', 'vm.shutdown', () => task.box.vmm?.cut())
}

export async function closeVmm(task: Task): Promise<void> {
  await ring(task, 'vmm-shutdown', 'vmm.shutdown', () => task.box.vmm?.end({ exitCode: 0, last: 'orderly' }))
}

export async function terminateVmm(task: Task): Promise<void> {
  await signal(task, 'terminate', 'SIGTERM')
}

export async function killVmm(task: Task): Promise<void> {
  await signal(task, 'kill', 'SIGKILL')
}

/** Runs one rung over the socket, and tells what came of it before the death that it may cause. */
async function ring(task: Task, rung: StopRung, name: CallName, act: () => void): Promise<void> {
  const { box, watch, recovered } = task
  await task.spawned()
  if ((recovered || box.vmm === undefined) && !(await find(task))) return
  await watch.duringRung(
    (async () => {
      const answer = await request(task, name, act)
      const died = !box.vmm?.isAlive
      if (answer !== 'done' && died) return
      await box.tell({ type: 'stop.rung', rung, result: answer === 'done' ? 'done' : 'failed' })
    })(),
  )
}

/** A signal is on its way at once; that it is heard is another matter. */
async function signal(task: Task, rung: StopRung, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { box, watch } = task
  await task.spawned()
  const found = await findVmm(box, watch, task.signal)
  const { vmm } = box
  if (found.is === 'unknown')
    return box.tell({ type: 'stop.rung', rung, result: 'failed', message: found.reason })
  if (found.is !== 'alive' || vmm === undefined) return void (await tellFound(task, found))
  const { ms, outcome } = box.call(name)
  if (outcome !== 'refused' && outcome !== 'hangs') {
    const exit = name === 'SIGKILL' ? { signal: name } : ({ exitCode: 0, last: 'orderly' } as const)
    box.world.host.after(ms, () => vmm.end(exit))
  }
  await box.tell({ type: 'stop.rung', rung, result: 'done' })
}
