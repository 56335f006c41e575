/** CRC-32C (Castagnoli), which zlib does not have. */
const table = new Uint32Array(256).map((_, byte) => {
  let bits = byte
  for (let n = 0; n < 8; n += 1) bits = bits & 1 ? (bits >>> 1) ^ 0x82f63b78 : bits >>> 1
  return bits
})

/** Goes on with a checksum over more bytes; `begin` is what it begins with, and `maskOf` how it ends. */
export function update(state: number, bytes: Uint8Array): number {
  let bits = state
  for (const byte of bytes) bits = (table[(bits ^ byte) & 0xff] ?? 0) ^ (bits >>> 8)
  return bits >>> 0
}

export const begin = 0xffffffff

/** As LevelDB stores it: turned, and moved by a constant. */
export function maskOf(state: number): number {
  const crc = ~state >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function unmask(stored: number): number {
  const turned = (stored - 0xa282ead8) >>> 0
  return ~(((turned >>> 17) | (turned << 15)) >>> 0) >>> 0
}

/**
 * Bytes whose checksum is wrong, put right if a single flipped bit explains it: each bit changes the checksum in its own
 * way. Undefined if none does, which is said of most greater damage, though not of all.
 */
export function withOneBitFlipped(bytes: Buffer, stored: number): Buffer | undefined {
  const state = update(begin, bytes)
  const flippedChecksum = (maskOf(state) ^ stored) >>> 0
  if ((flippedChecksum & (flippedChecksum - 1)) === 0) return bytes
  const difference = (state ^ unmask(stored)) >>> 0
  // What each bit of the last byte changes; of the one before, the same gone on with over a zero; and so on.
  const changes = Array.from({ length: 8 }, (_, bit) => table[1 << bit] ?? 0)
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    const bit = changes.indexOf(difference)
    if (bit >= 0) {
      const right = Buffer.from(bytes)
      right.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
      return right
    }
    for (let n = 0; n < 8; n += 1) {
      const change = changes[n] ?? 0
      changes[n] = ((table[change & 0xff] ?? 0) ^ (change >>> 8)) >>> 0
    }
  }
  return undefined
}

export function maskedCrc(bytes: Uint8Array): number {
  return maskOf(update(begin, bytes))
}
