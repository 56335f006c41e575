import { aliased, defaulted, optional, required, struct } from '../json/struct.ts'
import { anything, bool, listOf, path, text, u8, u16, u32, u64, variant } from '../json/types.ts'
import {
  balloon,
  consoleDevice,
  debugConsole,
  device,
  disk,
  fs,
  genericVhostUser,
  net,
  pmem,
  rng,
  serial,
  userDevice,
  vdpa,
  vsock,
} from './devices.ts'

const MIB = 1024 * 1024

const cpus = struct('CpusConfig', {
  boot_vcpus: required(u32),
  max_vcpus: required(u32),
  topology: optional(anything),
  kvm_hyperv: defaulted(bool, false),
  max_phys_bits: defaulted(u8, 46),
  affinity: optional(listOf(anything)),
  features: defaulted(anything, { amx: false }),
  nested: defaulted(bool, true),
  core_scheduling: defaulted(variant('Vm', 'Vcpu', 'Off'), 'Vm'),
  profile: defaulted(anything, 'Host'),
})

const memoryZone = struct('MemoryZoneConfig', {
  id: required(text),
  size: required(u64),
  file: optional(path),
  shared: defaulted(bool, false),
  hugepages: defaulted(bool, false),
  hugepage_size: optional(u64),
  host_numa_node: optional(u32),
  hotplug_size: optional(u64),
  hotplugged_size: optional(u64),
  prefault: defaulted(bool, false),
  reserve: defaulted(bool, false),
  mergeable: defaulted(bool, false),
})

const memory = struct('MemoryConfig', {
  size: required(u64),
  mergeable: defaulted(bool, false),
  hotplug_method: defaulted(variant('Acpi', 'VirtioMem'), 'Acpi'),
  hotplug_size: optional(u64),
  hotplugged_size: optional(u64),
  shared: defaulted(bool, false),
  hugepages: defaulted(bool, false),
  hugepage_size: optional(u64),
  prefault: defaulted(bool, false),
  reserve: defaulted(bool, false),
  zones: optional(listOf(memoryZone)),
  thp: defaulted(bool, true),
})

const payload = struct('PayloadConfig', {
  firmware: optional(path),
  kernel: optional(path),
  cmdline: optional(text),
  initramfs: optional(path),
})

const platform = struct('PlatformConfig', {
  num_pci_segments: defaulted(u16, 1),
  iommu_segments: optional(listOf(u16)),
  iommu_address_width_bits: defaulted(u8, 64),
  system_serial_number: aliased('serial_number', optional(text)),
  system_uuid: aliased('uuid', optional(text)),
  oem_strings: optional(listOf(text)),
  system_manufacturer: optional(text),
  system_product_name: optional(text),
  system_version: optional(text),
  system_sku_number: optional(text),
  system_family: optional(text),
  chassis_asset_tag: optional(text),
  iommufd: defaulted(bool, false),
  vfio_p2p_dma: defaulted(bool, true),
})

const landlockRule = struct('LandlockConfig', { path: required(path), access: required(text) })

const defaultCpus = {
  boot_vcpus: 1,
  max_vcpus: 1,
  topology: undefined,
  kvm_hyperv: false,
  max_phys_bits: 46,
  affinity: undefined,
  features: { amx: false },
  nested: true,
  core_scheduling: 'Vm' as const,
  profile: 'Host',
}

const defaultMemory: ReturnType<typeof memory.read> = {
  size: 512 * MIB,
  mergeable: false,
  hotplug_method: 'Acpi',
  hotplug_size: undefined,
  hotplugged_size: undefined,
  shared: false,
  hugepages: false,
  hugepage_size: undefined,
  prefault: false,
  reserve: false,
  zones: undefined,
  thp: true,
}

const defaultConsole: ReturnType<typeof consoleDevice.read> = {
  id: undefined,
  file: undefined,
  mode: 'Tty',
  socket: undefined,
  iommu: undefined,
  pci_segment: 0,
  pci_device_id: undefined,
}

export const vmConfig = struct('VmConfig', {
  cpus: defaulted(cpus, defaultCpus),
  memory: defaulted(memory, defaultMemory),
  payload: optional(payload),
  rate_limit_groups: optional(listOf(anything)),
  disks: optional(listOf(disk)),
  net: optional(listOf(net)),
  rng: defaulted(rng, {
    id: undefined,
    iommu: undefined,
    pci_segment: 0,
    pci_device_id: undefined,
    src: '/dev/urandom',
  }),
  balloon: optional(balloon),
  generic_vhost_user: optional(listOf(genericVhostUser)),
  fs: optional(listOf(fs)),
  pmem: optional(listOf(pmem)),
  serial: defaulted(serial, { file: undefined, mode: 'Null', socket: undefined }),
  console: defaulted(consoleDevice, defaultConsole),
  debug_console: defaulted(debugConsole, { file: undefined, mode: 'Off', iobase: 233 }),
  devices: optional(listOf(device)),
  user_devices: optional(listOf(userDevice)),
  vdpa: optional(listOf(vdpa)),
  vsock: optional(vsock),
  pvpanic: defaulted(bool, false),
  iommu: defaulted(bool, false),
  numa: optional(listOf(anything)),
  watchdog: defaulted(bool, false),
  rtc: optional(anything),
  pci_segments: optional(listOf(anything)),
  platform: optional(platform),
  tpm: optional(anything),
  landlock_enable: defaulted(bool, false),
  landlock_rules: optional(listOf(landlockRule)),
})

/** A VM's configuration with the real one's defaults filled in. */
export type VmConfig = ReturnType<typeof vmConfig.read>

/** Bytes of memory, as `vm.info` counts them. */
export function sumMemory(config: VmConfig): number {
  const zones = (config.memory.zones ?? []).reduce((sum, zone) => sum + zone.size, 0)
  return config.memory.size + zones
}
