import { type Boundary, BoxError, type Failure, snapshotsOf } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { memoryLimitMs, vmmLabel } from '../cloud-hypervisor/client.ts'
import { disksDir } from '../files/paths.ts'
import { dropStaged, keepStaged, stage } from '../snapshots/keep.ts'
import { ownDisksOf, saveDisks } from '../snapshots/own-disks.ts'
import { type SnapshotFiles, snapshotFiles } from '../snapshots/place.ts'
import { callFailure, startFailure } from './failures.ts'
import type { Incarnation } from './incarnation.ts'
import type { Task } from './task.ts'
import { pause } from './wait.ts'

/** How long a VMM that has not let its VM go is left alone, in `ms`. */
const againMs = 200

/**
 * Has the VMM write a snapshot, and copies the box's own disks while the VM stands still. One that an earlier engine has begun is not gone on with: what was written without an
 * answer proves nothing.
 */
export async function saveVm(task: Task): Promise<void> {
  const { box, signal, recovered } = task
  const { saving } = snapshotsOf(box.context)
  if (saving === null || (recovered && !(await task.attach()))) return
  const { name } = saving
  const files = filesOf(task, name)
  try {
    if (recovered) throw new BoxError('ABORTED', 'The engine that made the snapshot ended before it was made')
    await write(task, files)
  } catch (error) {
    return await tellFailure(task, name, error)
  }
  if (signal.aborted) return await dropUnwanted(box)
  await box.tell({ type: 'snapshot.written', name })
}

async function write({ box, signal, watch }: Task, files: SnapshotFiles): Promise<void> {
  const { client, context, input } = box
  const boundary: Boundary = point => box.boundary(point)
  const info = await client.info({ signal })
  if (info === undefined) throw new Error('The VMM has no VM')
  const from = disksDir(input.home, input.box)
  const disks = ownDisksOf(info.config, from)
  await stage(files, box.files.saving, boundary)
  if (info.vm === 'running')
    await watch.events.tellChange('vm/paused', signal, () => client.act('vm.pause', { signal }))
  await client.save(box.files.saving, { signal, limitMs: memoryLimitMs(context.spec) })
  await saveDisks(disks, from, box.files.saving, boundary, signal)
}

/** Has the VM run again; it is tried until it does, or the VMM refuses. */
export async function releaseVm(task: Task): Promise<void> {
  const { box, signal, recovered, watch } = task
  if (recovered && !(await task.attach())) return
  while (!signal.aborted) {
    try {
      const info = await box.client.info({ signal })
      if (info?.vm !== 'running')
        return await watch.events.tellChange('vm/resumed', signal, () =>
          box.client.act('vm.resume', { signal }),
        )
      await watch.events.read()
      if (!signal.aborted) await box.tell({ type: 'vm.resumed' })
      return
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (signal.aborted || (error.kind === 'cut' && (await watch.tellIfDead(signal)))) return
      if (error.kind === 'refused' || error.kind === 'absent')
        return await box.tell({ type: 'resume.failed', ...callFailure(error) })
    }
    await pause(againMs, signal)
  }
}

/** Makes a snapshot that is written one that lasts. */
export async function commitSnapshot(task: Task): Promise<void> {
  const { box, signal, recovered } = task
  const { saving } = snapshotsOf(box.context)
  if (saving === null || (recovered && !(await task.attach()))) return
  const { name, version } = saving
  const files = filesOf(task, name)
  const boundary: Boundary = point => box.boundary(point)
  try {
    const { spec, seen } = box.context
    const vmm = await box.client.ping({ signal })
    const { bytes } = await keepStaged(
      files,
      box.files.saving,
      {
        box: box.input.box,
        name,
        version,
        vmm: { version: vmm.version, features: vmm.features ?? [] },
        ready: seen.ready,
        spec,
      },
      boundary,
      signal,
    )
    await box.tell({ type: 'snapshot.committed', name, bytes, vmm: vmmLabel(vmm) })
  } catch (error) {
    await tellFailure(task, name, error)
  }
}

function filesOf({ box: { input } }: Task, name: string): SnapshotFiles {
  return snapshotFiles(input.home, input.box, name)
}

/** Nothing is left of a snapshot that has failed. A VMM that has ended meanwhile is told as such. */
async function tellFailure({ box, signal, watch }: Task, name: string, error: unknown): Promise<void> {
  if (signal.aborted) return await dropUnwanted(box)
  if (error instanceof ApiError && error.kind === 'cut' && (await watch.tellIfDead(signal))) return
  if (signal.aborted) return
  await dropStaged(box.files.saving, point => box.boundary(point))
  await box.tell({ type: 'snapshot.failed', name, ...failureOf(error) })
}

/** It is not wanted any more; an engine that closes leaves it to the next one. */
async function dropUnwanted(box: Incarnation): Promise<void> {
  if (!box.closed.aborted) await dropStaged(box.files.saving, point => box.boundary(point))
}

/** KVM cannot tell the state of virtual CPUs here, which is common where it is nested itself. */
const noState = /GetNestedState|nested state/i

function failureOf(error: unknown): Failure {
  if (!(error instanceof ApiError)) return startFailure(error, 'ENGINE_FAILED')
  const said = error.messages.join(': ')
  if (noState.test(said)) {
    const message = `KVM on this machine cannot tell the state of a virtual CPU, so that nothing can be saved: ${said}`
    return { code: 'UNSUPPORTED', message, details: { vmm: [...error.messages] } }
  }
  const failure = callFailure(error)
  return /No space left|os error 28/.test(said) ? { ...failure, code: 'NO_SPACE' } : failure
}
