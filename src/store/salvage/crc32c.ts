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

export function maskedCrc(bytes: Uint8Array): number {
  return maskOf(update(begin, bytes))
}
