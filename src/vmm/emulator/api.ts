/** The HTTP API: which path and method does what, and how failures are worded. */
import { ApiError, failed, Panic } from './api-error.ts'
import * as devices from './config/devices.ts'
import * as bodies from './config/request-bodies.ts'
import { vmConfig } from './config/vm-config.ts'
import * as hotplug from './hotplug.ts'
import type { Request } from './http/request-parser.ts'
import type { Response } from './http/response.ts'
import { JsonError, JsonReader } from './json/reader.ts'
import { readJson, type Type } from './json/types.ts'
import { resize, resizeDisk, resizeZone } from './resize.ts'
import { restoreSnapshot, saveSnapshot } from './snapshots.ts'
import type { Vmm } from './vmm.ts'

interface Endpoint {
  readonly method: 'GET' | 'PUT'
  /** The outermost message of a failure. */
  readonly failure: string
  /** `undefined` as the answer's body means 204. */
  readonly call: (vmm: Vmm, body: Buffer) => Promise<string | undefined> | string | undefined
  readonly body: 'none' | 'needed'
}

// biome-ignore lint/suspicious/noConfusingVoidType: calls without an answer of their own return nothing
type Result = string | undefined | void

const ROOT = '/api/v1/'
const EMULATED_VERSION = '53.0.0'

export type Api = (request: Request) => Promise<Response>

export function createApi(vmm: Vmm): Api {
  return async ({ method, path, body }) => {
    const endpoint = findEndpoint(path)
    if (endpoint === undefined) return answer(404, ['Not Found'])
    if (endpoint.method !== method) return answer(400, ['Bad Request'])
    if (method === 'PUT') {
      // The one answer without a message.
      if (path === `${ROOT}vm.create` && body.length === 0) return { status: 400, body: '' }
      if (body.length > 0 !== (endpoint.body === 'needed')) return answer(400, ['Bad Request'])
    }
    try {
      if (path === `${ROOT}vmm.shutdown`) return await shutDown(vmm)
      const result = await endpoint.call(vmm, body)
      return result === undefined ? { status: 204, body: undefined } : { status: 200, body: result }
    } catch (error) {
      return toResponse(vmm, error, endpoint.failure)
    }
  }
}

/** The call a path stands for, without the root: what faults name. */
export function nameCall(path: string): string {
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path
}

/** 200 with an empty body, unlike what the OpenAPI file says; the process goes right after it. */
async function shutDown(vmm: Vmm): Promise<Response> {
  await vmm.windUp()
  return { status: 200, body: '', sent: () => vmm.exit(0) }
}

function toResponse(vmm: Vmm, error: unknown, failure: string): Response {
  if (error instanceof Panic) {
    const lost = answer(500, [
      'Error from API',
      'API response receive error',
      'receiving on a closed channel',
    ])
    return { ...lost, sent: () => vmm.exit(1) }
  }
  if (error instanceof JsonError) return answer(400, ['Failed to deserialize JSON', error.message])
  if (!(error instanceof ApiError)) throw error
  if (error.status === 429) return answer(429, error.chain)
  return answer(error.status, ['Error from API', failure, ...error.chain])
}

function answer(status: number, chain: readonly string[]): Response {
  return { status, body: JSON.stringify(chain) }
}

function findEndpoint(path: string): Endpoint | undefined {
  if (!path.startsWith(ROOT)) return undefined
  const name = path.slice(ROOT.length)
  return Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined
}

function look(failure: string, call: (vmm: Vmm) => string): Endpoint {
  return { method: 'GET', failure, body: 'none', call }
}

function act(failure: string, call: (vmm: Vmm) => Promise<void>): Endpoint {
  return {
    method: 'PUT',
    failure,
    body: 'none',
    call: async vmm => {
      await call(vmm)
      return undefined
    },
  }
}

function take<T>(
  failure: string,
  type: Type<T>,
  call: (vmm: Vmm, body: T) => Result | Promise<Result>,
): Endpoint {
  return {
    method: 'PUT',
    failure,
    body: 'needed',
    call: async (vmm, body) => (await call(vmm, readJson(type, new JsonReader(body)))) ?? undefined,
  }
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'vmm.ping': look('', vmm => formatPing(vmm)),
  'vmm.shutdown': act('', async () => undefined),
  'vm.info': look('The VM info is not available', vmm => vmm.info()),
  'vm.counters': look('The VM info is not available', vmm => vmm.counters()),
  'vm.create': take('The VM could not be created', vmConfig, (vmm, config) => vmm.create(config)),
  'vm.boot': act('The VM could not boot', vmm => vmm.boot()),
  'vm.pause': act('The VM could not be paused', vmm => vmm.pause()),
  'vm.resume': act('The VM could not resume', vmm => vmm.resume()),
  'vm.shutdown': act('The VM could not shutdown', vmm => vmm.shutdown()),
  'vm.reboot': act('The VM could not reboot', vmm => vmm.reboot()),
  'vm.delete': act('The VM could not be deleted', vmm => vmm.delete()),
  'vm.power-button': act('Error triggering power button', vmm => vmm.pressPowerButton()),
  'vm.nmi': act('Error triggering NMI', vmm => vmm.injectNmi()),
  'vm.resize': take('The VM could not be resized', bodies.resize, resize),
  'vm.resize-zone': take('The memory zone could not be resized', bodies.resizeZone, resizeZone),
  'vm.resize-disk': take('The disk could not be resized', bodies.resizeDisk, resizeDisk),
  'vm.add-disk': take('The disk could not be added to the VM', devices.disk, hotplug.addDisk),
  'vm.add-pmem': take('The pmem device could not be added to the VM', devices.pmem, hotplug.addPmem),
  'vm.add-net': take('The network device could not be added to the VM', devices.net, hotplug.addNet),
  'vm.add-vsock': take('The vsock device could not be added to the VM', devices.vsock, hotplug.addVsock),
  'vm.add-fs': take('The fs could not be added to the VM', devices.fs, (vmm, fs) =>
    hotplug.addVhostUser(vmm, 'fs', fs),
  ),
  'vm.add-device': take('The device could not be added to the VM', devices.device, hotplug.addDevice),
  'vm.add-user-device': take(
    'The user device could not be added to the VM',
    devices.userDevice,
    (vmm, device) => hotplug.addVhostUser(vmm, 'user_devices', device),
  ),
  'vm.add-vdpa': take('The vDPA device could not be added to the VM', devices.vdpa, hotplug.addVdpa),
  'vm.add-generic-vhost-user': take(
    'The generic vhost-user device could not be added to the VM',
    devices.genericVhostUser,
    (vmm, device) => hotplug.addVhostUser(vmm, 'generic_vhost_user', device),
  ),
  'vm.remove-device': take(
    'The device could not be removed from the VM',
    bodies.removeDevice,
    (vmm, { id }) => hotplug.removeDevice(vmm, id),
  ),
  'vm.snapshot': take('The VM could not be snapshotted', bodies.snapshot, (vmm, { destination_url }) =>
    saveSnapshot(vmm, destination_url),
  ),
  'vm.restore': take('The VM could not be restored', bodies.restore, restoreSnapshot),
  'vm.send-migration': take('Error dispatching the migration worker', bodies.sendMigration, sendMigration),
  'vm.receive-migration': take('Error receiving migration', bodies.receiveMigration, () => {
    const why = 'boxledger-vmm does not migrate'
    throw failed('Failed to receive migratable component snapshot', why)
  }),
}

function formatPing(vmm: Vmm): string {
  return JSON.stringify({
    build_version: `v${EMULATED_VERSION}`,
    version: EMULATED_VERSION,
    pid: process.pid,
    features: ['emulator', vmm.backend.name],
  })
}

/** Answered at once by the real one, too: that it failed is told by the events only. */
function sendMigration(vmm: Vmm): void {
  if (vmm.vm === undefined) throw failed('Failed to send migratable component snapshot', 'VM is not running')
  vmm.emit('migration-started')
  vmm.emit('migration-failed')
}
