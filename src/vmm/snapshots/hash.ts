import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { allocatedBytes, PieceFinder, type Pieces } from './pieces.ts'

/** In `bytes`; a multiple of the granule of pieces. */
const chunkBytes = 1 << 20

/** Describes what a file holds. */
export async function describeFile(
  file: FileHandle,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly pieces?: Pieces }> {
  const { size: bytes, blocks } = await file.stat()
  const allocated = allocatedBytes({ blocks })
  const [finder, whole, held] = [new PieceFinder(), createHash('sha256'), createHash('sha256')]
  let read = 0
  for await (const chunk of readAhead(file, [[0, bytes]], signal)) {
    whole.update(chunk)
    if (allocated < bytes) for (const piece of finder.add(chunk, read)) held.update(piece)
    read += chunk.length
  }
  if (read !== bytes) throw new Error(`a file has ${read} bytes, and had ${bytes} when its reading began`)
  const pieces = allocated < bytes ? finder.finish(allocated, held.digest('hex')) : undefined
  return { bytes, sha256: whole.digest('hex'), ...(pieces && { pieces }) }
}

/** Hashes these stretches of a file, and reads no more. A start waits for this. */
export async function hashStretches(
  file: FileHandle,
  stretches: Pieces['at'],
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of readAhead(file, stretches, signal)) hash.update(chunk)
  return hash.digest('hex')
}

/** One chunk is read while the one before is looked at, which is good until the next: a stream takes half as long again. */
async function* readAhead(
  file: FileHandle,
  stretches: Pieces['at'],
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  let [now, next] = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)]
  const places = placesIn(stretches)
  const read = (into: Buffer) => {
    const place = places.next()
    return place.done ? undefined : fill(file, into, place.value)
  }
  for (let reading = read(now); reading !== undefined; ) {
    const bytes = await reading
    if (bytes === 0) return
    signal.throwIfAborted()
    reading = read(next)
    reading?.catch(() => {}) // told when it is waited for, which a reader that has seen enough does not
    yield now.subarray(0, bytes)
    ;[now, next] = [next, now]
  }
}

interface Place {
  readonly begin: number
  readonly bytes: number
}

/** Reads what is there of a place; less than that is the end of the file. */
async function fill(file: FileHandle, into: Buffer, { begin, bytes }: Place): Promise<number> {
  for (let done = 0; ; ) {
    const { bytesRead } = await file.read(into, done, bytes - done, begin + done)
    done += bytesRead
    if (bytesRead === 0 || done === bytes) return done
  }
}

function* placesIn(stretches: Pieces['at']): Generator<Place> {
  for (const [begin, bytes] of stretches)
    for (let at = 0; at < bytes; at += chunkBytes)
      yield { begin: begin + at, bytes: Math.min(chunkBytes, bytes - at) }
}
