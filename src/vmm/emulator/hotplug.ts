/** Devices that come and go after `vm.create`. */
import { closeSync, openSync, statSync } from 'node:fs'
import { type ApiError, describeSystemError, failed, notCreated } from './api-error.ts'
import { listenVsock } from './backend/vsock.ts'
import { checkDisk, checkNet, findLockConflict, lockFailure } from './boot-files.ts'
import type {
  DeviceConfig,
  DiskConfig,
  NetConfig,
  PmemConfig,
  VdpaConfig,
  VsockConfig,
} from './config/devices.ts'
import { validateConfig } from './config/validation.ts'
import type { VmConfig } from './config/vm-config.ts'
import { makeMac } from './mac-address.ts'
import type { Vm } from './vm.ts'
import type { Vmm } from './vmm.ts'

const DEVICES = 'Error from device manager'
const PMEM_ALIGNMENT_BYTES = 2 * 1024 * 1024

/** The lists of a configuration that devices can be added to. */
const LISTS = ['disks', 'net', 'fs', 'pmem', 'devices', 'user_devices', 'vdpa', 'generic_vhost_user'] as const
type List = (typeof LISTS)[number]

/** The answer's body, or nothing where the VM is not booted and only the configuration changed. */
export type Added = string | undefined

interface Plug {
  readonly prefix: string
  /** Takes hold of what the device needs on the host. */
  readonly attach: (vm: Vm, config: VmConfig) => Promise<void> | void
}

export async function addDisk(vmm: Vmm, disk: DiskConfig): Promise<Added> {
  return await addToList(vmm, 'disks', disk, {
    prefix: '_disk',
    attach: (_, config) => {
      checkDisk(disk)
      const conflict = findLockConflict([...(config.disks ?? []), disk])
      if (conflict !== undefined) throw lockFailure(disk).within(DEVICES)
    },
  })
}

export async function addNet(vmm: Vmm, net: NetConfig): Promise<Added> {
  net.mac ??= makeMac()
  return await addToList(vmm, 'net', net, { prefix: '_net', attach: () => checkNet(net) })
}

export async function addPmem(vmm: Vmm, pmem: PmemConfig): Promise<Added> {
  return await addToList(vmm, 'pmem', pmem, { prefix: '_pmem', attach: () => checkPmem(pmem) })
}

function checkPmem(pmem: PmemConfig): void {
  const size = pmem.size ?? openOrFail(pmem.file, 'Cannot open pmem file', path => statSync(path).size)
  if (size % PMEM_ALIGNMENT_BYTES !== 0) {
    throw failed(DEVICES, 'Trying to use a size that is not multiple of 2MiB')
  }
}

export async function addVsock(vmm: Vmm, vsock: VsockConfig): Promise<Added> {
  const config = needConfig(vmm)
  if (config.vsock !== undefined) throw failed('Too many virtio-vsock devices')
  const wanted = { ...config, vsock }
  validateConfig(wanted)
  // To a guest that is not told of the device nobody listens.
  if (vmm.vm !== undefined) vmm.vm.vsock = await listenVsock(vsock.socket)
  config.vsock = vsock
  return vmm.vm === undefined ? undefined : place(vmm.vm, vsock, '_vsock')
}

/** VFIO: the emulator has no devices to pass through, like a host without the driver. */
export async function addDevice(vmm: Vmm, device: DeviceConfig): Promise<Added> {
  const missing = 'No such file or directory (os error 2)'
  return await addToList(vmm, 'devices', device, {
    prefix: '_vfio',
    attach: () => {
      const container = `failed to open /dev/vfio/vfio container: ${missing}`
      throw failed(DEVICES, 'Cannot create a VFIO device', container, missing)
    },
  })
}

export async function addVdpa(vmm: Vmm, vdpa: VdpaConfig): Promise<Added> {
  return await addToList(vmm, 'vdpa', vdpa, {
    prefix: '_vdpa',
    attach: () => {
      const problem = 'failure in opening vhost file: No such file or directory (os error 2)'
      throw failed(DEVICES, 'Cannot create vdpa device', 'Failed to create vhost-vdpa', problem)
    },
  })
}

/** Devices whose other half is a process of their own: the emulator never speaks to one. */
export async function addVhostUser(
  vmm: Vmm,
  list: 'fs' | 'user_devices' | 'generic_vhost_user',
  device: object,
) {
  return await addToList(vmm, list, device, {
    prefix: '_vhost_user',
    attach: () => {
      throw failed(DEVICES, 'boxledger-vmm has no vhost-user devices')
    },
  })
}

/** A request only: the device leaves the configuration at once and the device tree never. */
export function removeDevice(vmm: Vmm, id: string): void {
  const config = needConfig(vmm)
  const vm = vmm.vm
  if (vm === undefined) {
    if (!dropFromConfig(config, id)) throw failed(`No device with id "${id}" to remove`)
    return
  }
  if (id === '__rng') throw failed(DEVICES, 'Not allowed to remove this type of device from the VM: rng')
  if (vm.devices.has(id) && !vm.devices.isPci(id)) {
    throw failed(DEVICES, 'Could not find the node in the device tree')
  }
  if (!vm.devices.has(id) || vm.leaving.has(id)) {
    throw failed(DEVICES, `Failed to find device corresponding to the given identifier: ${id}`)
  }
  needHotplug(vmm)
  vm.leaving.add(id)
  dropFromConfig(config, id)
}

export function needConfig(vmm: Vmm): VmConfig {
  if (vmm.config === undefined) throw notCreated()
  return vmm.config
}

export function needHotplug(vmm: Vmm): void {
  if (!vmm.backend.hotplug) {
    throw failed(DEVICES, `boxledger-vmm cannot change a running guest with its ${vmm.backend.name} backend`)
  }
}

async function addToList(
  vmm: Vmm,
  list: List,
  device: { id?: string | undefined },
  plug: Plug,
): Promise<Added> {
  const config = needConfig(vmm)
  const grown = { ...config, [list]: [...(config[list] ?? []), device] }
  validateConfig(grown)
  const vm = vmm.vm
  if (vm !== undefined) {
    needHotplug(vmm)
    if (device.id !== undefined && vm.devices.has(device.id)) {
      throw failed(DEVICES, `Invalid identifier as it is not unique: ${device.id}`)
    }
    await plug.attach(vm, config)
  }
  Object.assign(config, { [list]: grown[list] })
  return vm === undefined ? undefined : place(vm, device, plug.prefix)
}

function place(vm: Vm, device: { id?: string | undefined }, prefix: string): string {
  const id = device.id ?? vm.devices.name(prefix)
  device.id = id
  return JSON.stringify({ id, bdf: vm.devices.add(id) })
}

function dropFromConfig(config: VmConfig, id: string): boolean {
  for (const list of LISTS) {
    const devices: readonly { readonly id?: string | undefined }[] = config[list] ?? []
    const left = devices.filter(device => device.id !== id)
    if (left.length === devices.length) continue
    Object.assign(config, { [list]: left })
    return true
  }
  if (config.vsock?.id !== id) return false
  config.vsock = undefined
  return true
}

function openOrFail<T>(path: string, outer: string, look: (path: string) => T): T {
  try {
    closeSync(openSync(path, 'r'))
    return look(path)
  } catch (error) {
    throw openFailure(outer, error)
  }
}

function openFailure(outer: string, error: unknown): ApiError {
  return failed(DEVICES, outer, describeSystemError(error))
}
