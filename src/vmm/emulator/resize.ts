import { truncateSync } from 'node:fs'
import { ApiError, describeSystemError, failed } from './api-error.ts'
import type { ResizeBody, ResizeDiskBody } from './config/request-bodies.ts'
import type { VmConfig } from './config/vm-config.ts'
import { needConfig, needHotplug } from './hotplug.ts'
import type { Vm } from './vm.ts'
import type { Vmm } from './vmm.ts'

const SLOT_BYTES = 128 * 1024 * 1024
const SECTOR_BYTES = 512
const DEVICES = 'Error from device manager'

/** Resizes vCPUs, memory and balloon; `vm.info` shows what was asked for, whatever the guest does. */
export function resize(vmm: Vmm, body: ResizeBody): void {
  const config = needConfig(vmm)
  const vm = vmm.vm
  if (vm === undefined) {
    apply(config, body)
    return
  }
  vmm.emit('resizing')
  if (body.desired_vcpus !== undefined) resizeCpus(vmm, vm, config, body.desired_vcpus)
  if (body.desired_ram !== undefined) resizeMemory(vmm, vm, config, body.desired_ram)
  if (body.desired_balloon !== undefined) {
    if (config.balloon === undefined)
      throw failed(DEVICES, "Missing virtio-balloon, can't proceed as expected")
    config.balloon.size = body.desired_balloon
  }
  vmm.emit('resized')
}

/** No memory zones can be resized: none are kept apart. */
export function resizeZone(vmm: Vmm): void {
  needConfig(vmm)
  throw failed('Failed resizing a memory zone')
}

export function resizeDisk(vmm: Vmm, { id, desired_size }: ResizeDiskBody): void {
  const config = needConfig(vmm)
  if (vmm.vm === undefined) throw failed('Failed resizing a disk image')
  const disk = (config.disks ?? []).find(each => each.id === id)
  if (disk?.path === undefined) {
    throw failed(DEVICES, `Failed to find device corresponding to the given identifier: ${id}`)
  }
  if (desired_size % SECTOR_BYTES !== 0) {
    throw failed(DEVICES, 'Disk resize error', `Disk image size is not a multiple of ${SECTOR_BYTES}`)
  }
  needHotplug(vmm)
  try {
    truncateSync(disk.path, desired_size)
  } catch (error) {
    throw failed(DEVICES, 'Disk resize error', describeSystemError(error))
  }
}

function apply(config: VmConfig, body: ResizeBody): void {
  if (body.desired_vcpus !== undefined) config.cpus.boot_vcpus = body.desired_vcpus
  if (body.desired_ram !== undefined) config.memory.size = body.desired_ram
  if (body.desired_balloon !== undefined && config.balloon !== undefined) {
    config.balloon.size = body.desired_balloon
  }
}

function resizeCpus(vmm: Vmm, vm: Vm, config: VmConfig, desired: number): void {
  const outer = 'Error from CPU manager'
  if (vm.vcpuRemovalPending) throw new ApiError(429, ['Too Many Requests'])
  if (desired > config.cpus.max_vcpus) throw failed(outer, 'Requested vCPUs exceed maximum')
  if (desired === 0) throw failed(outer, 'Requested zero vCPUs')
  if (desired !== config.cpus.boot_vcpus) needHotplug(vmm)
  if (desired < config.cpus.boot_vcpus) vm.vcpuRemovalPending = true
  config.cpus.boot_vcpus = desired
}

function resizeMemory(vmm: Vmm, vm: Vm, config: VmConfig, desired: number): void {
  const outer = 'Memory manager error'
  const { memory } = config
  if (desired !== memory.size) needHotplug(vmm)
  const growth = desired - vm.pluggedBytes
  if (growth > 0) {
    if (growth > (memory.hotplug_size ?? 0)) throw failed(outer, 'Not enough space in the hotplug RAM region')
    if (growth % SLOT_BYTES !== 0) {
      throw failed(outer, 'The requested hotplug memory addition is not a valid size')
    }
    vm.pluggedBytes = desired
  }
  memory.size = desired
}
