/** The files a boot needs, opened in the real one's order and failing in its words. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { type ApiError, describeSystemError, failed } from './api-error.ts'
import type { DiskConfig, NetConfig } from './config/devices.ts'
import type { VmConfig } from './config/vm-config.ts'
import { makeMac } from './mac-address.ts'

const PAGE_BYTES = 4096
const INTERFACE_NAME_MAX = 15
const DEVICES = 'Error from device manager'

export function checkMemory({ memory }: VmConfig): void {
  const outer = 'Memory manager error'
  if (memory.size === 0 && (memory.zones ?? []).length === 0) throw failed(outer, 'No memory zones found')
  if (memory.size % PAGE_BYTES !== 0) {
    throw failed(outer, 'Memory size is misaligned with default page size or its hugepage size')
  }
  if (memory.hugepages)
    throw failed(outer, 'Failed to stat filesystem', 'No such file or directory (os error 2)')
}

/** Opens the disk and settles its image type. */
export function checkDisk(disk: DiskConfig): void {
  if (disk.path === undefined) throw failed(DEVICES, 'No disk path was specified when one was expected')
  const path = disk.path
  const detected = tryTo(
    () => detectImageType(path, disk.readonly),
    problem => failed(DEVICES, 'Cannot open disk path', `I/O error (path=${path} op=open)`, problem),
  )
  if (disk.image_type === 'Unknown') disk.image_type = detected
  else if (disk.image_type !== detected && disk.image_type !== 'Raw') {
    const types = `specified = ${disk.image_type.toLowerCase()}, detected = ${detected.toLowerCase()}`
    throw failed(DEVICES, `Disk image type does not match expected type: ${types}`)
  }
}

/** The tap's name; its address on the host is made up. */
export function checkNet(net: NetConfig): void {
  const { tap } = net
  net.host_mac ??= makeMac()
  if (tap === undefined || tap.length <= INTERFACE_NAME_MAX) return
  const why = `Interface name too long (max length is ${INTERFACE_NAME_MAX}): ${tap}`
  throw failed(
    DEVICES,
    'Cannot create virtio-net device',
    'Failed to open taps',
    'Open tap device failed',
    why,
  )
}

export function checkRandomSource(path: string): void {
  tryTo(
    () => closeSync(openSync(path, 'r')),
    problem => failed(DEVICES, 'Cannot create virtio-rng device', problem),
  )
}

export function checkInitramfs(path: string | undefined): void {
  if (path === undefined) return
  tryTo(
    () => closeSync(openSync(path, 'r')),
    problem => failed('Cannot open initramfs file', problem),
  )
}

/** One file as two disks of one VM, at least one of them writable. */
export function checkDiskLocks(disks: readonly DiskConfig[]): void {
  const conflict = findLockConflict(disks)
  if (conflict === undefined) return
  throw lockFailure(conflict).within('Error locking disk images: Another instance likely holds a lock')
}

export function lockFailure({ path, readonly }: DiskConfig): ApiError {
  const kind = readonly ? 'Read' : 'Write'
  const what = `Failed to get ${kind} lock for disk image: ${path}`
  return failed('Cannot lock images of all block devices', what, 'The file is already locked')
}

export function findLockConflict(disks: readonly DiskConfig[]): DiskConfig | undefined {
  const held = new Map<string, boolean>()
  for (const disk of disks) {
    const { dev, ino } = statSync(disk.path ?? '')
    const key = `${dev}:${ino}`
    const writable = held.get(key)
    if (writable === true || (writable === false && !disk.readonly)) return disk
    held.set(key, !disk.readonly)
  }
  return undefined
}

/** The one thing in the SMBIOS tables that can be wrong. */
export function checkUuid(uuid: string | undefined): void {
  if (uuid === undefined) return
  const bad = /[^0-9a-fA-F-]/.exec(uuid)
  if (bad === null && /^[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}$/.test(uuid)) return
  const why = bad === null ? 'invalid length' : `invalid character: found \`${bad[0]}\` at ${bad.index}`
  const outer = [
    'Cannot configure system',
    'Platform specific error (x86_64)',
    'Error setting up SMBIOS table',
  ]
  throw failed(...outer, `Failure to parse uuid: ${uuid}`, why)
}

export function checkKernel(path: string): void {
  const fd = tryTo(
    () => openSync(path, 'r'),
    problem => failed('Cannot open kernel file', problem),
  )
  try {
    const problem = findKernelProblem(fd)
    if (problem === undefined) return
    const outer = `Kernel Loader: failed to load bzImage kernel image: Kernel Loader: ${problem}`
    throw failed('Cannot load the kernel into memory', outer, `Kernel Loader: ${problem}`)
  } finally {
    closeSync(fd)
  }
}

function findKernelProblem(fd: number): string | undefined {
  if (!fstatSync(fd).isFile()) return 'Unable to read bzImage header'
  const head = Buffer.alloc(0x210)
  const length = readSync(fd, head, 0, head.length, 0)
  if (head.toString('latin1', 0, 4) === '\x7fELF') return undefined
  if (length < head.length) return 'Unable to read bzImage header'
  return head.toString('latin1', 0x202, 0x206) === 'HdrS' ? undefined : 'Invalid bzImage'
}

function detectImageType(path: string, readonly: boolean): DiskConfig['image_type'] {
  const fd = openSync(path, readonly ? 'r' : 'r+')
  try {
    const magic = Buffer.alloc(8)
    readSync(fd, magic, 0, magic.length, 0)
    if (magic.toString('latin1', 0, 4) === 'QFI\xfb') return 'Qcow2'
    if (magic.toString('latin1') === 'vhdxfile') return 'Vhdx'
    return 'Raw'
  } finally {
    closeSync(fd)
  }
}

function tryTo<T>(act: () => T, toError: (problem: string) => ApiError): T {
  try {
    return act()
  } catch (error) {
    throw toError(describeSystemError(error))
  }
}
