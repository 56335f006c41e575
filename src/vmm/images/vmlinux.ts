import { ImageError } from './image-error.ts'
import { packingOf, type Unpackers, unpack } from './unpack.ts'

/**
 * Takes the uncompressed kernel out of a bzImage. Header fields as in Documentation/arch/x86/boot.rst of Linux:
 * 0x1f1 setup sectors, 0x202 "HdrS", 0x248 payload offset, 0x24c payload length. Behind every packing but gzip the
 * kernel's build puts the unpacked size as 4 bytes, little-endian.
 *
 * @throws ImageError BOOT_FAILED if it is not a bzImage or damaged, UNSUPPORTED if VMMs could not enter it
 */
export async function extractVmlinux(image: Buffer, unpackers: Unpackers): Promise<Buffer> {
  if (image.length < 0x250 || image.toString('latin1', 0x202, 0x206) !== 'HdrS') {
    throw new ImageError('BOOT_FAILED', 'The kernel is not a bzImage: no boot header at byte 0x202.')
  }
  const setupSectors = image[0x1f1] || 4
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248)
  const end = start + image.readUInt32LE(0x24c)
  if (end > image.length || end - start < 8) {
    throw new ImageError('BOOT_FAILED', `The kernel is cut off: payload to byte ${end} of ${image.length}.`)
  }
  const payload = image.subarray(start, end)
  const hasSize = ['lz4', 'xz', 'zstd'].includes(packingOf(payload))
  const packed = hasSize ? payload.subarray(0, -4) : payload
  const size = hasSize ? payload.readUInt32LE(payload.length - 4) : 0
  if (size > 1024 * 1024 * 1024) {
    throw new ImageError('BOOT_FAILED', `The kernel claims to unpack to ${size} bytes.`)
  }
  const vmlinux = await unpack(packed, unpackers, size)
  if (hasSize && vmlinux.length !== size) {
    throw new ImageError('BOOT_FAILED', `The kernel unpacked to ${vmlinux.length} bytes, not ${size}.`)
  }
  if (!hasPvhEntry(vmlinux)) {
    throw new ImageError(
      'UNSUPPORTED',
      'The kernel has no PVH entry point (CONFIG_PVH): VMMs cannot start it directly.',
    )
  }
  return vmlinux
}

/**
 * Whether an ELF64 file carries the note VMMs look for to start a kernel directly: name "Xen", type 18
 * (XEN_ELFNOTE_PHYS32_ENTRY in Xen's public/elfnote.h).
 */
export function hasPvhEntry(elf: Buffer): boolean {
  if (packingOf(elf) !== 'none' || elf.length < 64 || elf[4] !== 2) return false
  const headers = Number(elf.readBigUInt64LE(32))
  const size = elf.readUInt16LE(54)
  const count = elf.readUInt16LE(56)
  for (let i = 0; i < count; i++) {
    const at = headers + i * size
    if (at + 56 > elf.length) return false
    const isNote = elf.readUInt32LE(at) === 4
    const offset = Number(elf.readBigUInt64LE(at + 8))
    const length = Number(elf.readBigUInt64LE(at + 32))
    if (isNote && hasNote(elf.subarray(offset, offset + length), 'Xen\0', 18)) return true
  }
  return false
}

function hasNote(notes: Buffer, name: string, type: number): boolean {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameLength = notes.readUInt32LE(at)
    const dataLength = notes.readUInt32LE(at + 4)
    const found = notes.toString('latin1', at + 12, at + 12 + nameLength) === name
    if (found && notes.readUInt32LE(at + 8) === type) return true
    at += 12 + align4(nameLength) + align4(dataLength)
  }
  return false
}

function align4(value: number): number {
  return Math.ceil(value / 4) * 4
}
