import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { call } from './raw-client.ts'
import { compareResponse, eventNames, fill, loadRecording, type RecordedStep } from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, isEmulator, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

export const MATRIX_STATES = [
  'no-vm',
  'created',
  'running',
  'paused',
  'shut-down',
  'guest-exited-no-shutdown',
] as const

type MatrixState = (typeof MATRIX_STATES)[number]

/** One task per step: each has a fresh process, brought to the state. */
export function planMatrix(state: MatrixState, tally: Tally): (() => Promise<void>)[] {
  const scenario = `matrix-${state}`
  return loadRecording(scenario).steps.map(step => async () => {
    const what = `${scenario}: ${step.request?.method} ${step.request?.path} ${step.request?.body ?? ''}`
    await tally.replay(what, () => inRunDirectory(directory => replayStep(directory, state, step, what)))
  })
}

async function replayStep(
  directory: string,
  state: MatrixState,
  step: RecordedStep,
  what: string,
): Promise<void> {
  prepareFiles(directory)
  const args = [
    '--api-socket',
    `path=${directory}/api.sock`,
    '--event-monitor',
    `path=${directory}/events.json`,
    '-v',
  ]
  if (state === 'guest-exited-no-shutdown') args.push('--no-shutdown')
  const vmm = new VmmProcess(directory, [...vmmCommand('none'), ...args])
  try {
    await vmm.ready()
    await bringTo(vmm, state)
    const eventsBefore = vmm.events().length
    const { method, path, body } = step.request ?? { method: '', path: '', body: null }
    const response = await call(
      vmm.socket,
      method,
      path,
      body === null ? null : fill(body, directory),
      step.response?.serverClosed,
    )
    compareResponse(response, step.response ?? {}, {
      directory,
      pid: vmm.pid,
      what,
      emulator: isEmulator,
      request: body,
    })
    const stateAfter = await readState(vmm, step.exit != null)
    assert.is(stateAfter, step.stateAfter, `${what}: state after`)
    const expected = eventNames(step.eventsAfter ?? [])
    const seen = (): string[] => vmm.eventNames().slice(eventsBefore)
    await waitUntil(`${what}: events ${expected}`, () => seen().length >= expected.length || undefined)
    assert.equal(seen(), expected, `${what}: events`)
    assert.equal(vmm.ending ?? null, step.exit ?? null, `${what}: exit`)
  } finally {
    await vmm.dispose()
  }
}

async function bringTo(vmm: VmmProcess, state: MatrixState): Promise<void> {
  if (state === 'no-vm') return
  const put = async (name: string, body: string | null = null): Promise<void> => {
    const { status } = await call(vmm.socket, 'PUT', `/api/v1/${name}`, body)
    assert.is(status, 204, `${name} on the way to ${state}`)
  }
  await put('vm.create', JSON.stringify(setupConfig(vmm.directory, state)))
  if (state === 'created') return
  await put('vm.boot')
  if (state === 'paused') await put('vm.pause')
  if (state === 'shut-down') await put('vm.shutdown')
  if (state === 'guest-exited-no-shutdown') {
    await waitUntil('the guest to power off', async () =>
      (await readState(vmm, false)) === 'Created' ? true : undefined,
    )
  }
}

function setupConfig(directory: string, state: MatrixState): object {
  const cmdline = state === 'guest-exited-no-shutdown' ? 'mode=off' : 'mode=tick'
  return {
    cpus: { boot_vcpus: 1, max_vcpus: 2 },
    memory: { size: 67_108_864, hotplug_size: 268_435_456 },
    payload: { kernel: join(directory, 'guest.elf'), cmdline },
    disks: [{ path: join(directory, 'disk.raw'), id: 'disk0', image_type: 'Raw' }],
    serial: { mode: 'File', file: join(directory, 'serial.log') },
    console: { mode: 'Off' },
  }
}

async function readState(vmm: VmmProcess, ends: boolean): Promise<string> {
  if (ends) {
    await vmm.waitForEnd()
    return 'process exited'
  }
  const { status, body } = await call(vmm.socket, 'GET', '/api/v1/vm.info')
  if (status === 404) return 'no VM (404)'
  return (JSON.parse(body) as { state: string }).state
}
