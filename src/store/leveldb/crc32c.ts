const tables = makeTables()

/** CRC-32C of a part of the bytes: what LevelDB's files carry, and Node does not have. About 1 GB/s. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let state = begin
  let at = start
  // Eight bytes a step, each through a table of its own.
  for (; at + 8 <= end; at += 8) {
    const one = state ^ view.getInt32(at, true)
    const two = view.getInt32(at + 4, true)
    state =
      look(7, one) ^
      look(6, one >>> 8) ^
      look(5, one >>> 16) ^
      look(4, one >>> 24) ^
      look(3, two) ^
      look(2, two >>> 8) ^
      look(1, two >>> 16) ^
      look(0, two >>> 24)
  }
  for (; at < end; at += 1) state = step(state, view.getUint8(at))
  return finish(state)
}

/** For a checksum byte by byte: what it begins with. */
export const begin = -1

/** One byte further. */
export function step(state: number, byte: number): number {
  return look(0, state ^ byte) ^ (state >>> 8)
}

/** The checksum of all bytes so far. */
export function finish(state: number): number {
  return ~state >>> 0
}

/** A checksum as it was before LevelDB masked it: that of bytes which hold checksums would be a weak one. */
export function unmask(stored: number): number {
  const rotated = (stored - maskDelta) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

export function mask(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + maskDelta) >>> 0
}

const maskDelta = 0xa282ead8

function look(table: number, byte: number): number {
  return tables[(table << 8) | (byte & 0xff)] as number
}

function makeTables(): Int32Array {
  const made = new Int32Array(8 << 8)
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    made[byte] = crc
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] as number
    made[at] = (made[before & 0xff] as number) ^ (before >>> 8)
  }
  return made
}
