import { failed } from '../api-error.ts'
import type { VmConfig } from './vm-config.ts'

const FIRST_GUEST_CID = 3

/** What the real one checks at boot and hotplug, not at create. */
export function validateConfig(config: VmConfig): void {
  const problem = findProblem(config)
  if (problem !== undefined) throw failed('Failed to validate config', ...problem)
}

/** The rules' form only: the emulator confines nothing by Landlock. */
export function checkLandlock(config: VmConfig): void {
  if (!config.landlock_enable) return
  for (const { access } of config.landlock_rules ?? []) {
    const bad = /[^rw]/.exec(access)
    if (bad === null) continue
    throw failed(
      'Failed to apply landlock config during vm_create',
      `Invalid Landlock access: Invalid access: ${bad[0]}`,
    )
  }
}

function findProblem(config: VmConfig): string[] | undefined {
  const { payload, cpus, memory } = config
  const unbootable = 'Payload configuration is not bootable'
  if (payload?.kernel === undefined && payload?.firmware === undefined) {
    return [unbootable, 'No bootitem provided: neither firmware nor kernel']
  }
  if (payload.kernel !== undefined && payload.firmware !== undefined) {
    return [unbootable, 'Specifying a kernel is not supported when a firmware is provided']
  }
  if (cpus.max_vcpus < cpus.boot_vcpus) {
    return [`Max CPUs (${cpus.max_vcpus}) lower than boot CPUs (${cpus.boot_vcpus})`]
  }
  for (const { num_queues } of config.net ?? []) {
    if (num_queues < 2) return [`Number of queues (${num_queues}) to virtio_net should be higher than 2`]
  }
  if (!memory.shared && !memory.hugepages) {
    if ((config.fs ?? []).length > 0 || (config.generic_vhost_user ?? []).length > 0) {
      return ['Using vhost-user requires using shared memory or huge pages']
    }
    if ((config.user_devices ?? []).length > 0) {
      return ['Using user devices requires using shared memory or huge pages']
    }
  }
  const { vsock } = config
  if (vsock !== undefined && vsock.cid < FIRST_GUEST_CID) return [`${vsock.cid} is a special VSOCK CID`]
  const repeated = findRepeatedId(config)
  return repeated === undefined ? undefined : [`Identifier ${repeated} is not unique`]
}

function findRepeatedId(config: VmConfig): string | undefined {
  const seen = new Set<string>()
  const devices: readonly { readonly id?: string | undefined }[] = [
    ...(config.disks ?? []),
    ...(config.net ?? []),
    ...(config.fs ?? []),
    ...(config.pmem ?? []),
    ...(config.devices ?? []),
    ...(config.user_devices ?? []),
    ...(config.vdpa ?? []),
    config.balloon ?? {},
    config.vsock ?? {},
  ]
  for (const { id } of devices) {
    if (id === undefined) continue
    if (seen.has(id)) return id
    seen.add(id)
  }
  return undefined
}
