import { existsSync } from 'node:fs'
import { type Boundary, BoxError, type BoxSpec, quoted, readyOf } from '../../machines/index.ts'
import { ApiError } from '../cloud-hypervisor/api-error.ts'
import { vmmArguments } from '../cloud-hypervisor/arguments.ts'
import { differences } from '../cloud-hypervisor/echo.ts'
import { quirksOf } from '../cloud-hypervisor/quirks.ts'
import { type VmConfig, vmConfigOf } from '../cloud-hypervisor/vm-config.ts'
import { probeVersion } from '../discovery/version.ts'
import { pruneRuns } from '../files/remove.ts'
import { readPidNamespace } from '../host/identity.ts'
import { spawnVmm } from '../host/spawn.ts'
import { writeOwnInitramfs } from '../image.ts'
import { dropAllStaged } from '../snapshots/keep.ts'
import type { Choice } from '../templates/fit.ts'
import { hasLeftTraces } from './exit-evidence.ts'
import { bootFailure, messageOf, startFailure } from './failures.ts'
import { findProcess, settleLife } from './life.ts'
import { guestFor, programFor } from './needs.ts'
import { beginProof, checkOrigin, chooseOrigin } from './origin.ts'
import { prepareDisks } from './own-disks.ts'
import { readyPattern } from './ready-pattern.ts'
import type { Task } from './task.ts'
import { pause } from './wait.ts'

/** The image, the VMM program and room for the run directory: all that a start needs before it makes a process. */
export async function prepareFiles({ box, signal }: Task): Promise<void> {
  let choice: Choice
  try {
    checkPattern(box.context.spec)
    await programFor(box, signal)
    const { home, box: id, incarnation } = box.input
    const boundary: Boundary = point => box.boundary(point)
    await checkOrigin(box, signal)
    choice = await chooseOrigin(box, signal)
    await dropAllStaged(home, id, boundary)
    await pruneRuns(home, id, incarnation, boundary)
    await prepareDisks(box, choice, { incarnation, boundary, signal })
  } catch (error) {
    if (signal.aborted) return
    return await box.tell({ type: 'start.failed', ...startFailure(error, 'VMM_START_FAILED') })
  }
  if (!signal.aborted) await box.tell({ type: 'start.stage', stage: 'spawning', ...choice })
}

function checkPattern(spec: BoxSpec): void {
  const ready = readyOf(spec)
  if (typeof ready === 'object' && readyPattern(ready.console) === undefined)
    throw new BoxError('INVALID_ARGUMENT', `ready.console is no regular expression: ${quoted(ready.console)}`)
}

export async function spawn(task: Task): Promise<void> {
  const { box, signal, recovered, watch } = task
  if (recovered) {
    const life = await settleLife(box, signal)
    if (signal.aborted) return
    if (typeof life === 'object') return await box.tell({ type: 'box.unknown', reason: life.unknown })
    if (life === 'dead' && hasLeftTraces(box.files)) return await watch.end('dead')
    if (life === 'alive') {
      if (box.process === null && !(await findProcess(box, signal))) {
        if (await watch.tellIfDead(signal)) return
        if (signal.aborted) return
        return await box.tell({
          type: 'box.unknown',
          reason: 'the VMM lives, but its process is not to be found',
        })
      }
      watch.watchProcess()
      if (box.process) await box.tell({ type: 'vmm.spawned', process: box.process })
      return
    }
  }
  await spawnAnew(task)
}

async function spawnAnew({ box, signal, recovered, watch }: Task): Promise<void> {
  const boundary: Boundary = point => box.boundary(point)
  try {
    const { command } = await programFor(box, signal)
    const version = await probeVersion(command, signal)
    if (signal.aborted) return
    box.quirks = quirksOf(version)
    const { env } = box.input.vmm
    const kept = ['PATH', 'HOME', 'TMPDIR', 'BOXLEDGER_QEMU'].flatMap(name => {
      const value = env[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    box.child = await spawnVmm({
      command: [...command, ...vmmArguments(box.files, box.quirks)],
      files: box.files,
      env: { LANG: 'C', ...Object.fromEntries(kept) },
      detach: box.context.spec.detach,
      again: recovered,
      boundary,
    })
  } catch (error) {
    if (signal.aborted) return
    const system = (error as NodeJS.ErrnoException).code
    const spawning = (error as NodeJS.ErrnoException).syscall?.startsWith('spawn') === true
    const missing = spawning && (system === 'ENOENT' || system === 'EACCES' || system === 'ENOEXEC')
    const failure = startFailure(error, missing ? 'VMM_NOT_FOUND' : 'VMM_START_FAILED')
    return await box.tell({ type: 'start.failed', ...failure })
  }
  box.process = box.child.identity
  beginProof(box)
  const told = box.tell({ type: 'vmm.spawned', process: box.process })
  watch.watchProcess()
  await told
}

/** How often the socket is looked for: after an eighth of what it has taken already, which is then the most to be lost. */
const looksPerWait = 8
/** In `ms`. */
const longestLookMs = 50

/** Waits for the socket; the machine says for how long, and a process that ends is told by the watch. */
export async function awaitVmm({ box, signal, watch }: Task): Promise<void> {
  if (box.child === undefined && (await watch.tellIfDead(signal))) return
  watch.watchProcess()
  const began = performance.now()
  while (!signal.aborted && !(await watch.connect()))
    await pause(Math.min(longestLookMs, 1 + (performance.now() - began) / looksPerWait), signal)
  while (!signal.aborted) {
    try {
      const { version, pid } = await box.client.ping({ signal })
      const here = box.process?.pidNamespace === readPidNamespace()
      if (here && pid !== undefined && pid !== box.process?.pid) {
        const message = `The VMM that answers is process ${pid}, not ${box.process?.pid}`
        return await box.tell({ type: 'start.failed', code: 'IDENTITY_MISMATCH', message })
      }
      box.quirks = quirksOf(version)
      return await box.tell({ type: 'vmm.ready', version })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // Silence is not death: the machine has the time limit, the watch tells an ending.
    }
    await pause(50, signal)
  }
}

export async function createVm(task: Task): Promise<void> {
  const { box, signal, recovered } = task
  if (recovered && !(await task.attach())) return
  try {
    const config = await describeVm(task)
    if (!(recovered && (await box.client.info({ signal })))) await box.client.create(config, { signal })
    const info = await box.client.info({ signal })
    const different = info ? differences(named(config, info.config, recovered), info.config) : ['all of it']
    if (different.length > 0) throw new Error(`The VMM did not take ${different.join(', ')}`)
    if (!signal.aborted) await box.tell({ type: 'vm.created' })
  } catch (error) {
    await tellBootFailure(task, error)
  }
}

/** A VM that an earlier engine has made may have been told the name that the box had then. */
export function named(
  config: VmConfig,
  echo: Readonly<Record<string, unknown>>,
  recovered: boolean,
): VmConfig {
  const cmdline = (echo.payload as { cmdline?: unknown } | null | undefined)?.cmdline
  if (!recovered || typeof cmdline !== 'string') return config
  return { ...config, payload: { ...config.payload, cmdline } }
}

/** The VM as it is to be; the files that it needs beside those of its image are made. */
export async function describeVm({ box, signal }: Task): Promise<VmConfig> {
  const guest = await guestFor(box, signal)
  const { spec } = box.context
  const target = box.files.initramfs
  const own = spec.command ? { ...guest, initramfs: target } : guest
  const { home, box: id } = box.input
  const boundary: Boundary = point => box.boundary(point)
  if (spec.command && !existsSync(target))
    await writeOwnInitramfs(guest, spec, { home, box: id, target, boundary })
  return vmConfigOf(spec, own, box.files, box.uuid, box.quirks)
}

export async function bootVm(task: Task): Promise<void> {
  const { box, signal, recovered, watch } = task
  if (recovered && !(await task.attach())) return
  try {
    if (!recovered) await watch.watchFiles()
    else if (await isSettled(task)) return
    await watch.events.duringBoot(box.client.act('vm.boot', { signal }))
    if (!signal.aborted) await watch.events.tellBooted()
  } catch (error) {
    await tellBootFailure(task, error)
  }
}

/** An earlier engine may have sent the boot: the VM and the event monitor's file tell what came of it. */
async function isSettled({ box, signal, watch }: Task): Promise<boolean> {
  const info = await box.client.info({ signal })
  if (info === undefined) throw new Error('The VMM has no VM, though one was created')
  if (info.vm !== 'created') {
    await watch.events.tellBooted()
    return true
  }
  await watch.events.read()
  // Booted, and off again by now: both were told from the file.
  if (watch.events.sawBooted) return true
  if (watch.events.sawBooting) throw new Error('The boot was begun and not completed')
  return false
}

/** Never tried again in the same process. A VMM that has ended meanwhile is told as such. */
export async function tellBootFailure({ box, signal, watch }: Task, error: unknown): Promise<void> {
  if (signal.aborted) return
  if (error instanceof ApiError && error.kind === 'cut' && (await watch.tellIfDead(signal))) return
  if (signal.aborted) return
  const failure = error instanceof ApiError ? bootFailure(error) : startFailure(error, 'BOOT_FAILED')
  const details = failure.details?.vmm ? failure.details : { ...failure.details, vmm: [messageOf(error)] }
  await box.tell({ type: 'start.failed', ...failure, details })
}
