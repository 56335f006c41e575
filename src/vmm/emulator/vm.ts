import type { Backend, Guest, Happening } from './backend/backend.ts'
import type { SerialPort } from './backend/serial-port.ts'
import { listenVsock, type VsockListener } from './backend/vsock.ts'
import * as files from './boot-files.ts'
import { validateConfig } from './config/validation.ts'
import type { VmConfig } from './config/vm-config.ts'
import { DeviceTree } from './device-tree.ts'

export interface Ports {
  readonly serial: SerialPort
  readonly console: SerialPort
}

/** A VM from boot to shutdown. `Created` is what a boot leaves that failed late: it bars the next one. */
export interface Vm {
  state: 'Created' | 'Running' | 'Paused'
  guest: Guest | undefined
  readonly devices: DeviceTree
  vsock: VsockListener | undefined
  /** Devices whose removal waits for the guest, which never acknowledges it. */
  readonly leaving: Set<string>
  vcpuRemovalPending: boolean
  /** Bytes of memory plugged in so far; never shrinks. */
  pluggedBytes: number
}

/**
 * Makes the devices of a VM. Where a list's device cannot be made, the whole list vanishes from the configuration:
 * a second boot then succeeds without it, as with the real one.
 */
export async function makeVm(config: VmConfig): Promise<Vm> {
  validateConfig(config)
  files.checkMemory(config)
  dropOnFailure(config, 'disks', config.disks, files.checkDisk)
  dropOnFailure(config, 'net', config.net, files.checkNet)
  files.checkRandomSource(config.rng.src)
  const vsock = await makeVsock(config)
  try {
    files.checkInitramfs(config.payload?.initramfs)
  } catch (error) {
    await vsock?.close()
    throw error
  }
  return {
    state: 'Created',
    guest: undefined,
    devices: new DeviceTree(config),
    vsock,
    leaving: new Set(),
    vcpuRemovalPending: false,
    pluggedBytes: config.memory.size,
  }
}

export interface Start {
  readonly backend: Backend
  readonly config: VmConfig
  readonly ports: Ports
  readonly restoreFrom?: string
  readonly tell: (happening: Happening) => void
}

/** Loads the kernel and lets the guest go. A failure leaves the VM in `Created`. */
export async function startVm(vm: Vm, { backend, config, ports, restoreFrom, tell }: Start): Promise<void> {
  files.checkDiskLocks(config.disks ?? [])
  files.checkKernel(config.payload?.kernel ?? config.payload?.firmware ?? '')
  files.checkUuid(config.platform?.system_uuid)
  vm.guest = await backend.start({
    config,
    serial: ports.serial,
    console: ports.console,
    tell,
    ...(restoreFrom === undefined ? {} : { restoreFrom }),
  })
  vm.vsock?.serve(vm.guest.dial)
  vm.state = restoreFrom === undefined ? 'Running' : 'Paused'
}

/** Pulls the plug and frees what the host holds for the VM. */
export async function dropVm(vm: Vm): Promise<void> {
  const guest = vm.guest
  vm.guest = undefined
  await guest?.cut()
  await vm.vsock?.close()
}

async function makeVsock(config: VmConfig): Promise<VsockListener | undefined> {
  if (config.vsock === undefined) return undefined
  try {
    return await listenVsock(config.vsock.socket)
  } catch (error) {
    config.vsock = undefined
    throw error
  }
}

function dropOnFailure<T>(
  config: VmConfig,
  key: 'disks' | 'net',
  list: readonly T[] | undefined,
  check: (device: T) => void,
): void {
  try {
    for (const device of list ?? []) check(device)
  } catch (error) {
    config[key] = undefined
    throw error
  }
}
