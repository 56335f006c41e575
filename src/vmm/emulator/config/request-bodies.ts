/** The bodies of the API's calls other than `vm.create`. */
import { defaulted, optional, required, struct } from '../json/struct.ts'
import { anything, bool, path, text, u32, u64, variant } from '../json/types.ts'

export const resize = struct('VmResizeData', {
  desired_vcpus: optional(u32),
  desired_ram: optional(u64),
  desired_balloon: optional(u64),
})
export type ResizeBody = ReturnType<typeof resize.read>

export const resizeZone = struct('VmResizeZoneData', { id: required(text), desired_ram: required(u64) })
export const resizeDisk = struct('VmResizeDiskData', { id: required(text), desired_size: required(u64) })
export type ResizeDiskBody = ReturnType<typeof resizeDisk.read>

export const removeDevice = struct('VmRemoveDeviceData', { id: required(text) })
export const snapshot = struct('VmSnapshotConfig', { destination_url: required(text) })

export const restore = struct('RestoreConfig', {
  source_url: required(path),
  prefault: defaulted(bool, false),
  net_fds: optional(anything),
  memory_restore_mode: defaulted(variant('Copy', 'OnDemand'), 'Copy'),
  resume: defaulted(bool, false),
})
export type RestoreBody = ReturnType<typeof restore.read>

export const sendMigration = struct('VmSendMigrationData', { destination_url: required(text) })
export const receiveMigration = struct('VmReceiveMigrationData', { receiver_url: required(text) })
