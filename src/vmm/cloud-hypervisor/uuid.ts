import { createHash } from 'node:crypto'

/** Namespace of the UUIDs of boxes, chosen once at random. */
const namespace = Buffer.from('6f0e2a9c4c1b4d5f9f3b0a7d52c8e171', 'hex')

/** UUIDv5 of a box's ID: a VMM that answers with it serves this box and no other. */
export function uuidOf(box: string): string {
  const bytes = createHash('sha1').update(namespace).update(box).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
