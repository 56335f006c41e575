import { type Boundary, BoxError, snapshotsOf } from '../../machines/index.ts'
import { memoryLimitMs, type Ping, vmmLabel } from '../cloud-hypervisor/client.ts'
import { differences } from '../cloud-hypervisor/echo.ts'
import { majorOf } from '../cloud-hypervisor/quirks.ts'
import type { VmConfig } from '../cloud-hypervisor/vm-config.ts'
import { disksDir } from '../files/paths.ts'
import { hasAgent } from '../guest/reach.ts'
import { takeDisks } from '../images/restored-disks.ts'
import { configFor, linkSnapshot } from '../snapshots/link.ts'
import { proveLinked, proveOrigin, readOrigin, type Saved } from './origin.ts'
import { describeVm, named, tellBootFailure } from './start.ts'
import type { Task } from './task.ts'

/** Makes the VM of a snapshot, and lets it run. Done once in a process, as a boot is. */
export async function restoreVm(task: Task): Promise<void> {
  const { box, signal, recovered, watch } = task
  const { origin } = snapshotsOf(box.context)
  if (origin === null || (recovered && !(await task.attach()))) return
  try {
    const saved = await readOrigin(box, origin)
    if (!recovered) await watch.watchFiles()
    const config = await describeVm(task)
    const before = await box.client.info({ signal })
    if (before === undefined) {
      if (watch.events.sawBooting) throw new Error('The restore was begun and not completed')
      await restore(task, saved, config)
    }
    const info = await box.client.info({ signal })
    const different = info ? differences(named(config, info.config, recovered), info.config) : ['all of it']
    if (different.length > 0) throw new Error(`The VMM did not take ${different.join(', ')}`)
    if (info?.vm === 'paused')
      await watch.events.tellChange('vm/resumed', signal, () => box.client.act('vm.resume', { signal }))
    if (signal.aborted) return
    const guest = hasAgent(box.context.spec) ? 'stale' : saved.ready ? 'ready' : 'unready'
    await watch.events.tellRestored({ type: 'snapshot.restored', ...origin, guest })
  } catch (error) {
    await tellBootFailure(task, error)
  }
}

async function restore({ box, signal }: Task, saved: Saved, config: VmConfig): Promise<void> {
  const boundary: Boundary = point => box.boundary(point)
  assertUnderstood(saved, await box.client.ping({ signal }))
  const proved = await proveOrigin(box)
  const { restored } = box.files
  const { home, box: id, incarnation } = box.input
  await linkSnapshot(saved.dir, restored, configFor(saved.config, config), boundary)
  await proveLinked(restored, saved, proved, signal)
  await takeDisks(disksDir(home, id), incarnation, boundary)
  await box.client.restore(restored, { signal, limitMs: memoryLimitMs(box.context.spec) })
}

/** A VMM reads what an older one has written, and one that can do at least what that could. */
function assertUnderstood({ vmm, what, details }: Saved, here: Ping): void {
  const isOlder = (majorOf(here.version) ?? 0) < (majorOf(vmm.version) ?? 0)
  const lacks = vmm.features.filter(feature => !here.features?.includes(feature))
  if (!isOlder && lacks.length === 0) return
  const written = vmmLabel(vmm)
  throw new BoxError(
    'UNSUPPORTED',
    `${what} was written by VMM ${written}, and the one here is ${vmmLabel(here)}`,
    { details: { ...details, written, here: vmmLabel(here) } },
  )
}
