import type { DiskConfig, NetConfig } from '../config/devices.ts'
import type { VmConfig } from '../config/vm-config.ts'
import { escapeCommas } from './escape-commas.ts'
import type { GuestPorts } from './guest-ports.ts'
import { formatMappedMemory, MEMORY_ID } from './qemu-memory.ts'

/** Descriptors that QEMU inherits. */
export const QMP_FD = 3
export const SERIAL_FD = 4
export const INCOMING_FD = 5

export interface QemuArguments {
  readonly accel: 'tcg' | 'kvm'
  /** Files that take output; without one the serial port goes to `SERIAL_FD`. */
  readonly serialFile: string | undefined
  readonly consoleFile: string | undefined
  /** Where connections to the guest's vsock device go. */
  readonly ports: GuestPorts | undefined
  /** Where the memory of a guest is that was saved, if it can be mapped. */
  readonly memoryFile: string | undefined
  /** What comes in over `INCOMING_FD`, of a guest that was saved. */
  readonly incoming: 'whole' | 'devices' | undefined
}

/** QEMU's words for a VM of ours. Nothing is given that was not asked for: no network, no default devices. */
export function formatQemuArguments(config: VmConfig, with_: QemuArguments): string[] {
  const { payload } = config
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    // Stopped until the control channel is listened to. Power-off and reset stop it again, and are told there.
    ...['-S', '-no-reboot', '-no-shutdown', '-action', 'panic=none'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...formatMachine(config, with_),
    ...['-kernel', payload?.kernel ?? payload?.firmware ?? ''],
    ...(payload?.initramfs === undefined ? [] : ['-initrd', payload.initramfs]),
    ...(payload?.cmdline === undefined ? [] : ['-append', payload.cmdline]),
    ...['-chardev', `socket,id=qmp,fd=${QMP_FD}`, '-mon', 'chardev=qmp,mode=control'],
    ...formatSerial(config, with_.serialFile),
    ...formatConsole(config, with_.consoleFile),
    ...(with_.ports?.formatArguments() ?? []),
    ...['-device', 'virtio-rng-pci'],
    ...(config.pvpanic ? ['-device', 'pvpanic-pci'] : []),
    ...(config.disks ?? []).flatMap(formatDisk),
    ...(config.net ?? []).flatMap(formatNet),
    ...(with_.incoming === undefined
      ? []
      : // Devices without a memory are taken when QEMU has been told so.
        ['-incoming', with_.incoming === 'whole' ? `fd:${INCOMING_FD}` : 'defer']),
  ]
}

/** The one place where the accelerator and what goes with it are chosen. */
function formatMachine({ cpus, memory, platform }: VmConfig, { accel, memoryFile }: QemuArguments): string[] {
  // Under TCG plain qemu64 keeps an idle guest on a periodic tick, and newer models are slower.
  const cpu = accel === 'kvm' ? 'host' : 'qemu64,+arat,+rdrand'
  const uuid = platform?.system_uuid
  return [
    ...['-machine', `q35,accel=${accel}${memoryFile === undefined ? '' : `,memory-backend=${MEMORY_ID}`}`],
    ...['-cpu', cpu],
    ...['-smp', String(Math.max(1, cpus.boot_vcpus)), '-m', `${memory.size / 1024}k`],
    ...(memoryFile === undefined ? [] : formatMappedMemory(memoryFile, memory.size)),
    ...(uuid === undefined ? [] : ['-uuid', uuid]),
  ]
}

function formatSerial({ serial }: VmConfig, file: string | undefined): string[] {
  if (serial.mode === 'Off' || serial.mode === 'Null') return ['-serial', 'null']
  return ['-chardev', formatOutput('serial0', file), '-serial', 'chardev:serial0']
}

function formatConsole({ console }: VmConfig, file: string | undefined): string[] {
  if (console.mode !== 'File') return []
  return [
    ...['-device', 'virtio-serial-pci,id=consoles'],
    ...['-chardev', formatOutput('console0', file), '-device', 'virtconsole,chardev=console0'],
  ]
}

/** Written on where it was, like the real one's, whatever else is done to the file. */
function formatOutput(id: string, file: string | undefined): string {
  if (file === undefined) return `socket,id=${id},fd=${SERIAL_FD}`
  return `file,id=${id},path=${escapeCommas(file)}`
}

function formatDisk(disk: DiskConfig, index: number): string[] {
  const node = `disk${index}`
  const blockdev = {
    'node-name': node,
    driver: disk.image_type === 'Qcow2' ? 'qcow2' : 'raw',
    'read-only': disk.readonly,
    discard: 'unmap',
    file: { driver: 'file', filename: disk.path ?? '', locking: 'on' },
  }
  const device = {
    driver: 'virtio-blk-pci',
    drive: node,
    ...(disk.serial === undefined ? {} : { serial: disk.serial }),
  }
  return ['-blockdev', JSON.stringify(blockdev), '-device', JSON.stringify(device)]
}

/** A named tap, else a network that reaches nothing. */
function formatNet(net: NetConfig, index: number): string[] {
  const id = `net${index}`
  const netdev =
    net.tap === undefined
      ? `user,id=${id},restrict=on`
      : `tap,id=${id},ifname=${escapeCommas(net.tap)},script=no,downscript=no`
  return ['-netdev', netdev, '-device', `virtio-net-pci,netdev=${id},mac=${net.mac}`]
}
