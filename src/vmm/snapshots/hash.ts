import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { allocatedBytes, PieceFinder, type Pieces } from './pieces.ts'

/** In `bytes`; a multiple of the granule of pieces. */
const chunkBytes = 1 << 20

/** Reads a file from its beginning to its end. */
export async function hashWhole(
  file: FileHandle,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly sha256: string; readonly pieces?: Pieces }> {
  const { size, blocks } = await file.stat()
  const allocated = allocatedBytes({ blocks })
  const finder = allocated < size ? new PieceFinder() : undefined
  const [whole, held] = [createHash('sha256'), createHash('sha256')]
  let bytes = 0
  for await (const chunk of readAhead(file, [[0, Number.POSITIVE_INFINITY]], signal)) {
    whole.update(chunk)
    for (const piece of finder?.add(chunk, bytes) ?? []) held.update(piece)
    bytes += chunk.length
  }
  if (bytes !== size) throw new Error(`a file has ${bytes} bytes, and had ${size} when its reading began`)
  const pieces = finder?.finish(allocated, held.digest('hex'))
  return { bytes, sha256: whole.digest('hex'), ...(pieces && { pieces }) }
}

/** Reads no more than the pieces. A start waits for this. */
export async function hashPieces(file: FileHandle, { at }: Pieces, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of readAhead(file, at, signal)) hash.update(chunk)
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
