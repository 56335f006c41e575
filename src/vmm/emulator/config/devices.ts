/** The devices of a VM's configuration. Keys stand in the order in which `vm.info` shows them. */
import { defaulted, late, optional, required, struct } from '../json/struct.ts'
import {
  anything,
  bool,
  checkedText,
  lateVariant,
  listOf,
  path,
  text,
  u8,
  u16,
  u32,
  u64,
  variant,
} from '../json/types.ts'

const id = optional(text)
const iommu = optional(bool)
const pciSegment = defaulted(u16, 0)
const pciDevice = optional(u8)
const common = { id, iommu, pci_segment: pciSegment, pci_device_id: pciDevice }
const withoutIommu = { id, pci_segment: pciSegment, pci_device_id: pciDevice }

export const disk = struct('DiskConfig', {
  ...common,
  path: optional(path),
  readonly: defaulted(bool, false),
  direct: defaulted(bool, false),
  num_queues: defaulted(u32, 1),
  queue_size: defaulted(u16, 128),
  vhost_user: defaulted(bool, false),
  vhost_socket: optional(text),
  rate_limit_group: optional(text),
  rate_limiter_config: optional(anything),
  disable_io_uring: defaulted(bool, false),
  disable_aio: defaulted(bool, false),
  serial: optional(text),
  queue_affinity: optional(listOf(anything)),
  backing_files: defaulted(bool, false),
  sparse: defaulted(bool, true),
  image_type: defaulted(variant('FixedVhd', 'Qcow2', 'Raw', 'Vhdx', 'Unknown'), 'Unknown'),
  lock_granularity: defaulted(variant('ByteRange', 'Full'), 'ByteRange'),
})
export type DiskConfig = ReturnType<typeof disk.read>

const mac = checkedText(value =>
  /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(value)
    ? undefined
    : `The provided MAC address is invalid: parsing of ${value} into a MAC address failed`,
)

export const net = struct('NetConfig', {
  ...common,
  tap: optional(text),
  ip: optional(text),
  mask: optional(text),
  mac: optional(mac),
  host_mac: optional(mac),
  mtu: optional(u16),
  num_queues: defaulted(u32, 2),
  queue_size: defaulted(u16, 256),
  vhost_user: defaulted(bool, false),
  vhost_socket: optional(text),
  vhost_mode: defaulted(variant('Client', 'Server'), 'Client'),
  rate_limiter_config: optional(anything),
  offload_tso: defaulted(bool, true),
  offload_ufo: defaulted(bool, true),
  offload_csum: defaulted(bool, true),
})
export type NetConfig = ReturnType<typeof net.read>

export const rng = struct('RngConfig', { ...common, src: required(path) })

export const balloon = struct('BalloonConfig', {
  ...withoutIommu,
  size: required(u64),
  deflate_on_oom: defaulted(bool, false),
  free_page_reporting: defaulted(bool, false),
})

export const fs = struct('FsConfig', {
  ...withoutIommu,
  tag: required(text),
  socket: required(path),
  num_queues: defaulted(u32, 1),
  queue_size: defaulted(u16, 1024),
})

export const pmem = struct('PmemConfig', {
  ...common,
  file: required(path),
  size: optional(u64),
  discard_writes: defaulted(bool, false),
})
export type PmemConfig = ReturnType<typeof pmem.read>

const consoleModes = ['Off', 'Pty', 'Tty', 'File', 'Socket', 'Null'] as const

export const serial = struct('SerialConfig', {
  file: optional(path),
  mode: late(required(lateVariant(...consoleModes))),
  socket: optional(path),
})
export type SerialConfig = ReturnType<typeof serial.read>

export const consoleDevice = struct('ConsoleConfig', {
  id,
  file: optional(path),
  mode: late(required(lateVariant(...consoleModes))),
  socket: optional(path),
  iommu,
  pci_segment: pciSegment,
  pci_device_id: pciDevice,
})
export type ConsoleConfig = ReturnType<typeof consoleDevice.read>

export const debugConsole = struct('DebugConsoleConfig', {
  file: optional(path),
  mode: late(required(lateVariant(...consoleModes))),
  iobase: optional(u16),
})

export const device = struct('DeviceConfig', {
  ...common,
  path: optional(path),
  x_exclude_mmap_bars: defaulted(listOf(u8), []),
})
export type DeviceConfig = ReturnType<typeof device.read>

export const userDevice = struct('UserDeviceConfig', { ...withoutIommu, socket: required(path) })

export const vdpa = struct('VdpaConfig', { ...common, path: required(path), num_queues: defaulted(u32, 1) })
export type VdpaConfig = ReturnType<typeof vdpa.read>

export const vsock = struct('VsockConfig', { ...common, cid: required(u32), socket: required(path) })
export type VsockConfig = ReturnType<typeof vsock.read>

export const genericVhostUser = struct('GenericVhostUserConfig', {
  ...withoutIommu,
  socket: required(path),
  queue_sizes: required(listOf(u16)),
  device_type: required(u32),
})
