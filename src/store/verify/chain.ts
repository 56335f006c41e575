import { fileOfBody } from '../archive/archive.ts'
import { decodeRef } from '../archive/body-ref.ts'
import type { Beside } from '../beside.ts'
import { type Body, decodeBody, decodeFrame, encodeFrame, type Frame, noHash, sha256 } from '../codec.ts'
import { bodiesOf, bodiesOfExecutions, frameKey, partsOfBodyKey } from '../keys.ts'
import { provenBackwards } from '../read.ts'
import { keyPages } from '../scan.ts'
import type { Tail } from '../tail-file.ts'
import { type Text, textPages } from '../texts.ts'
import type { BoxChains } from './boxes.ts'
import { type Commanded, checkCommands } from './commands.ts'
import type { Epochs } from './epochs.ts'
import { type Skimmed, Skimmer } from './skim.ts'
import type { Report, Still } from './still.ts'

interface ChainInput {
  readonly tail: Tail
  readonly epochs: Epochs
  readonly chains: BoxChains
  readonly readBody: ReadBody
  readonly report: Report
}

/** What is to be known of a body that is what its frame links to; undefined: it cannot be read. */
export type ReadBody = (text: string, frame: Pick<Frame, 'box' | 'version'>) => Body | Skimmed | undefined

/** Reads all of each body where it is to be folded, else only what its place is checked by. */
export function bodyReader({ schema }: Beside, replay: boolean): ReadBody {
  const skimmer = new Skimmer(schema)
  const whole = (text: string) => decodeBody(text, schema)
  return replay ? whole : (text, frame) => skimmer.skim(text, frame) ?? whole(text)
}

/** Follows the global chain from the first frame to the last. Gives the number of frames. */
export async function verifyGlobalChain(
  still: Still,
  input: ChainInput & { readonly noted: Tail | undefined },
): Promise<number> {
  const { db, at, beside } = still
  const { losses } = beside
  const { tail, noted, epochs, chains, readBody, report } = input
  let count = 0
  let last = 0
  let lastHash = noHash
  /** every field of the last frame is known to be right from elsewhere, so that its hash is */
  let lastSure = true
  const pages = textPages(work => work(db), beside.archive, 1, Number.MAX_SAFE_INTEGER, at)
  for await (const page of pages) {
    const bodies: (Skimmed | undefined)[] = []
    for (const { position, text, frame, stored, body: bodyText } of page) {
      const hash = sha256(text)
      const problem = (message: string, where = position) =>
        report({ kind: 'frame', position: where, message })
      count += 1
      noteSegment(still, stored)
      if (position !== last + 1 && losses.spans(last + 1, position - 1)) {
        last = position - 1
        lastHash = losses.hashAt(last) ?? lastHash
      } else if (position !== last + 1) {
        report({ kind: 'position', position: last + 1, message: `Position ${position} follows ${last}` })
        lastSure = false
      }
      const declared = losses.at(position)?.what
      const body =
        frame && declared !== 'body' ? checkBody(frame, stored, bodyText, readBody, report) : undefined
      const whole = frame?.position === position && encodeFrame(frame) === text
      const linked = frame?.prev === lastHash
      if (!whole) problem('The frame is damaged')
      else if (!linked && position === last + 1)
        problem('The chain breaks: the frame is not what its successor links to', lastSure ? position : last)
      for (const known of [tail, noted])
        if (
          known?.position === position &&
          known.hash !== (losses.hashAt(position) ?? hash) &&
          whole &&
          linked
        )
          problem('The frame is not the one that was written last')
      if (frame) chains.follow({ ...frame, position }, body, bodyText !== undefined)
      if (body) epochs.follow(body, position)
      bodies.push(body)
      last = position
      lastHash = losses.hashAt(position) ?? hash
      lastSure = whole && linked && body !== undefined
    }
    await checkCommands(still, commandsOf(page, bodies), report)
    await chains.verifyCheckpoints()
    await chains.settle()
  }
  if (losses.end > last && losses.spans(last + 1, losses.end)) last = losses.end
  if (last < Math.max(tail.position, noted?.position ?? 0))
    report({ kind: 'position', position: last + 1, message: `The ledger ends at ${last}, before its tail` })
  return count
}

/** The streams of a box: its own, and those of its executions. */
export async function streamsOf({ db, at }: Still, box: string): Promise<ReadonlySet<string>> {
  const streams = new Set([box])
  for await (const page of keyPages(db, bodiesOfExecutions(box), at))
    for (const key of page) streams.add(partsOfBodyKey(key).box)
  return streams
}

/** Follows one stream, and proves each of its frames by the neighbours. */
export async function verifyStream(
  still: Still,
  input: ChainInput & { readonly stream: string },
): Promise<number> {
  const { db, at, beside } = still
  const { losses } = beside
  const { stream: box, tail, epochs, chains, readBody, report } = input
  let count = 0
  for await (const [key, stored] of db.iterator({ ...bodiesOf(box), ...at })) {
    const [bodyText] = await beside.archive.resolve([stored])
    const { version, position } = partsOfBodyKey(key)
    const [text, after]: (string | undefined)[] = await db.getMany(
      [frameKey(position), frameKey(position + 1)],
      at,
    )
    const frame = decodeFrame(text)
    count += 1
    if (text === undefined || frame === undefined) {
      report({ kind: 'frame', position, box, message: 'The frame is missing or damaged' })
      continue
    }
    const declared = losses.hashAt(position)
    const hash = declared ?? sha256(text)
    const expected = position === tail.position ? tail.hash : decodeFrame(after)?.prev
    const proven =
      (hash === expected && declared === undefined) ||
      (after === undefined && position > tail.position) ||
      (bodyText !== undefined && (await provenBackwards(db, losses, frame, text, bodyText)))
    const belongs = frame.box === box && frame.version === version && frame.position === position
    if (!proven || !belongs) report({ kind: 'frame', position, box, message: 'The frame is damaged' })
    const body = checkBody({ ...frame, box, version, position }, stored, bodyText, readBody, report)
    chains.follow({ ...frame, box, version, position }, body, bodyText !== undefined)
    if (body) epochs.follow(body, position)
    await checkCommands(still, commandsOf([{ position, frame }], [body]), report)
    await chains.verifyCheckpoints()
  }
  return count
}

/** `text` is what `stored` leads to. */
function checkBody(
  frame: Frame,
  stored: string | undefined,
  text: string | undefined,
  read: ReadBody,
  report: Report,
): Body | Skimmed | undefined {
  const { position, box, version } = frame
  const file = fileOfBody(stored)
  const problem = (message: string) =>
    report({ kind: 'body', position, box, ...(file === undefined ? {} : { file }), message })
  if (text === undefined) return void problem('The body is missing')
  if (sha256(text) !== frame.bodyHash) return void problem('The body is not what its frame links to')
  const body = read(text, frame)
  if (body === undefined) return void problem('The body cannot be read')
  if (body.box !== box || (isWhole(body) && body.version !== version))
    return void problem('The body belongs to another record')
  return body
}

/** What was skimmed has been held against its frame already. */
function isWhole(body: Body | Skimmed): body is Body {
  return 'event' in body
}

function commandsOf(
  found: readonly Pick<Text, 'position' | 'frame'>[],
  bodies: readonly (Skimmed | undefined)[],
): Commanded[] {
  return found.flatMap(({ position, frame }, n) => {
    const commandId = bodies[n]?.meta.commandId
    return frame && commandId !== undefined ? [{ position, box: frame.box, commandId }] : []
  })
}

export function noteSegment({ referred }: Still, stored: string | undefined): void {
  const ref = decodeRef(stored)
  if (ref) referred.add(ref.segment)
}
