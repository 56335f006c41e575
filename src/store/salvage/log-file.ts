import { begin, maskOf, update, withOneBitFlipped } from './crc32c.ts'
import { type Carved, carve, type Salvaged } from './entry.ts'
import { entriesByLooks, entriesOfBatch } from './write-batch.ts'

/**
 * LevelDB's log: blocks of 32 KiB, in each fragments that do not cross its end:
 *
 *   checksum of what follows the length, 4 | length, 2 | kind, 1 | data
 *
 * A batch is one FULL fragment, or FIRST, MIDDLE…, LAST. LevelDB gives up the rest of a block at the first fragment
 * whose checksum is wrong; here reading goes on at the next one that is right.
 */
const blockBytes = 32_768
const headerBytes = 7
const unknown = 0
const full = 1
const first = 2
const last = 4

interface Fragment {
  /** `unknown`: bytes between fragments that can be read, mostly a part of the same batch */
  readonly kind: number
  readonly data: Buffer
  readonly sound: boolean
}

/** Everything that a log file still says. */
export function* readLog(file: Buffer, onDamage: (message: string) => void): Generator<Salvaged | Carved> {
  let parts: Fragment[] = []
  const take = () => {
    const batch = parts
    parts = []
    return batch
  }
  for (const fragment of fragmentsOf(file, onDamage)) {
    if (fragment.kind === full || fragment.kind === first) yield* entriesOfParts(take())
    parts.push(fragment)
    if (fragment.kind === full || fragment.kind === last) yield* entriesOfParts(take())
  }
  yield* entriesOfParts(take())
}

function* entriesOfParts(parts: readonly Fragment[]): Generator<Salvaged | Carved> {
  const head = parts[0]
  const end = parts.at(-1)
  if (head === undefined || end === undefined) return
  const data = parts.length === 1 ? head.data : Buffer.concat(parts.map(part => part.data))
  const hasHead = head.kind === full || head.kind === first
  const isWhole = hasHead && (end.kind === full || end.kind === last)
  if (isWhole && parts.every(part => part.sound)) {
    yield* entriesOfBatch(data)
    return
  }
  yield* entriesByLooks(data)
  yield* carve(data)
}

function* fragmentsOf(file: Buffer, onDamage: (message: string) => void): Generator<Fragment> {
  for (let block = 0; block < file.length; block += blockBytes) {
    const end = Math.min(block + blockBytes, file.length)
    for (let at = block; end - at >= headerBytes; ) {
      const { kind, next, sound } = headerAt(file, at, end)
      if (sound) {
        yield { kind, data: file.subarray(at + headerBytes, next), sound }
        at = next
        continue
      }
      onDamage(`a write is damaged or cut off at byte ${at}`)
      // Where the next one begins as this one says, its length is right, and what it holds may mostly be.
      const fits = next <= end && (end - next < headerBytes || headerAt(file, next, end).sound)
      if (fits) {
        const right = withOneBitFlipped(file.subarray(at + 6, next), file.readUInt32LE(at))
        yield {
          kind: right?.[0] ?? kind,
          data: right?.subarray(1) ?? file.subarray(at + headerBytes, next),
          sound,
        }
        at = next
      } else {
        const found = nextSound(file, at + 1, end)
        yield { kind: unknown, data: file.subarray(at + headerBytes, found), sound }
        at = found
      }
    }
  }
}

interface Header {
  readonly kind: number
  readonly next: number
  readonly sound: boolean
}

function headerAt(file: Buffer, at: number, end: number): Header {
  const next = at + headerBytes + file.readUInt16LE(at + 4)
  const kind = file.readUInt8(at + 6)
  if (kind < full || kind > last) return { kind: unknown, next, sound: false }
  if (next > end) return { kind, next, sound: false }
  const sound = maskOf(update(begin, file.subarray(at + 6, next))) === file.readUInt32LE(at)
  return { kind, next, sound }
}

/** Where the next fragment begins whose checksum is right; the block's end if none does. */
function nextSound(file: Buffer, from: number, end: number): number {
  for (let at = from; end - at >= headerBytes; at += 1) if (headerAt(file, at, end).sound) return at
  return end
}
