import { crc32c, mask, step, unmask } from '../leveldb/crc32c.ts'

/**
 * Bytes whose checksum is wrong, put right if a single flipped bit explains it: each bit changes the checksum in its own
 * way. Undefined if none does, which is said of most greater damage, though not of all.
 */
export function withOneBitFlipped(bytes: Buffer, stored: number): Buffer | undefined {
  const checksum = crc32c(bytes)
  const flippedChecksum = (mask(checksum) ^ stored) >>> 0
  if ((flippedChecksum & (flippedChecksum - 1)) === 0) return bytes
  const difference = checksum ^ unmask(stored)
  // What each bit of the last byte changes; of the one before, the same gone on with over a zero; and so on.
  const changes = Array.from({ length: 8 }, (_, bit) => step(0, 1 << bit))
  for (let at = bytes.length - 1; at >= 0; at -= 1) {
    const bit = changes.indexOf(difference)
    if (bit >= 0) {
      const right = Buffer.from(bytes)
      right.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
      return right
    }
    for (let n = 0; n < 8; n += 1) changes[n] = step(changes[n] as number, 0)
  }
  return undefined
}
