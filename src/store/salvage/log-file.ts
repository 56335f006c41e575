import { blockSize, type Fragment, fragmentAt, headerSize, kinds } from '../leveldb/log-format.ts'
import { type Carved, carve, type Salvaged } from './entry.ts'
import { withOneBitFlipped } from './flipped-bit.ts'
import { entriesByLooks, entriesOfBatch } from './write-batch.ts'

interface Part {
  /** undefined: bytes between fragments that can be read, mostly a part of the same batch */
  readonly kind: number | undefined
  readonly data: Buffer
  readonly sound: boolean
}

const isFirst = ({ kind }: Part) => kind === kinds.full || kind === kinds.first
const isLast = ({ kind }: Part) => kind === kinds.full || kind === kinds.last

/**
 * Everything that a log file still says. LevelDB gives up the rest of a block at the first fragment whose checksum is
 * wrong; here reading goes on at the next one that is right.
 */
export function* readLog(file: Buffer, onDamage: (message: string) => void): Generator<Salvaged | Carved> {
  let parts: Part[] = []
  const take = () => {
    const batch = parts
    parts = []
    return batch
  }
  for (const part of partsOf(file, onDamage)) {
    if (isFirst(part)) yield* entriesOfParts(take())
    parts.push(part)
    if (isLast(part)) yield* entriesOfParts(take())
  }
  yield* entriesOfParts(take())
}

function* entriesOfParts(parts: readonly Part[]): Generator<Salvaged | Carved> {
  const head = parts[0]
  const end = parts.at(-1)
  if (head === undefined || end === undefined) return
  const data = parts.length === 1 ? head.data : Buffer.concat(parts.map(part => part.data))
  if (isFirst(head) && isLast(end) && parts.every(part => part.sound)) {
    yield* entriesOfBatch(data)
    return
  }
  yield* entriesByLooks(data)
  yield* carve(data)
}

function* partsOf(file: Buffer, onDamage: (message: string) => void): Generator<Part> {
  for (let block = 0; block < file.length; block += blockSize) {
    const blockEnd = Math.min(block + blockSize, file.length)
    for (let at = block; blockEnd - at >= headerSize; ) {
      const fragment = fragmentAt(file, at, blockEnd)
      const { kind, start, end, isSound } = fragment
      if (isSound) {
        yield { kind, data: file.subarray(start, end), sound: true }
        at = end
        continue
      }
      onDamage(`a write is damaged or cut off at byte ${at}`)
      // Where the next one begins as this one says, its length is right, and what it holds may mostly be.
      const fits = end <= blockEnd && (blockEnd - end < headerSize || fragmentAt(file, end, blockEnd).isSound)
      if (fits) {
        yield putRight(file, at, fragment)
        at = end
      } else {
        const found = nextSound(file, at + 1, blockEnd)
        yield { kind: undefined, data: file.subarray(start, found), sound: false }
        at = found
      }
    }
  }
}

function putRight(file: Buffer, at: number, { kind, start, end }: Fragment): Part {
  const right = withOneBitFlipped(file.subarray(start - 1, end), file.readUInt32LE(at))
  return { kind: right?.[0] ?? kind, data: right?.subarray(1) ?? file.subarray(start, end), sound: false }
}

/** Where the next fragment begins whose checksum is right; the block's end if none does. */
function nextSound(file: Buffer, from: number, blockEnd: number): number {
  for (let at = from; blockEnd - at >= headerSize; at += 1)
    if (fragmentAt(file, at, blockEnd).isSound) return at
  return blockEnd
}
