import { noHash, sha256 } from '../codec.ts'
import type { Loss } from '../losses.ts'
import type { Tail } from '../tail-file.ts'
import type { Candidate, Findings } from './findings.ts'
import { proveRun, type Resolved, type Run, saveRun } from './run.ts'

export interface ProvenChain {
  /** end of the chain, as the next record will link to it */
  readonly tail: Tail
  /** positions without a frame, and frames that nothing proves; in order */
  readonly losses: readonly Loss[]
  /** frames that were made anew, and are proven to be what they were */
  readonly rebuilt: number
}

type Put = (position: number, text: string) => Promise<void>

/**
 * Finds the global chain anew, from its end to its beginning: each frame is proven by the hash that its successor has
 * of it, the last by the tail file. Where one is missing, it is made anew from what is known beside it.
 */
export async function proveFrames(
  findings: Findings,
  known: Tail | undefined,
  put: Put,
): Promise<ProvenChain> {
  const end = await endOf(findings, known)
  const losses: Loss[] = []
  let rebuilt = 0
  let tailHash: string | undefined
  let expected: string | undefined
  let run: { to: number; hash: string | undefined; suspects: Map<number, readonly Candidate[]> } | undefined

  const keep: Put = async (position, text) => {
    if (position === end) tailHash ??= sha256(text)
    await put(position, text)
  }
  const resolve = async (from: number, anchors: readonly (Candidate | undefined)[]) => {
    if (run === undefined) return anchors[0]
    const runFrom = (anchor: Candidate | undefined): Run => ({
      from,
      to: run?.to ?? from,
      prev: anchor?.hash ?? noHash,
      hash: run?.hash,
      suspects: run?.suspects ?? new Map(),
    })
    let chosen = anchors[0]
    let resolved: Resolved | undefined
    for (const anchor of anchors) {
      resolved = await proveRun(runFrom(anchor), findings)
      if (resolved === undefined) continue
      chosen = anchor
      rebuilt += resolved.frames.length
      break
    }
    resolved ??= await saveRun(runFrom(chosen), findings)
    for (const { position, text } of resolved.frames) await keep(position, text)
    losses.push(...resolved.losses.toReversed())
    run = undefined
    return chosen
  }

  const candidates = new CandidatesDown(findings)
  for (let position = end; position > 0; position -= 1) {
    const { found, before } = await candidates.at(position)
    if (known?.position === position) expected ??= known.hash
    const anchors =
      expected === undefined
        ? await anchorsOf(found, before, findings)
        : found.filter(({ hash }) => hash === expected)
    if (position === end) tailHash = expected
    if (anchors.length === 0) {
      run ??= { to: position, hash: expected, suspects: new Map() }
      if (found.length > 0) run.suspects.set(position, found)
      expected = undefined
      continue
    }
    const chosen = await resolve(position + 1, anchors)
    if (chosen === undefined) continue
    await keep(position, chosen.text)
    expected = chosen.frame.prev
  }
  await resolve(1, [undefined])
  const inOrder = joined(losses.toReversed())
  return { tail: { position: end, hash: tailHash ?? noHash }, losses: inOrder, rebuilt }
}

/** How far the ledger went, as far as anything tells. Half a record behind the tail file was never told to anybody. */
async function endOf(findings: Findings, known: Tail | undefined): Promise<number> {
  const placed = await findings.lastPlaced()
  for await (const { position, found } of findings.candidatesDown()) {
    if (position <= Math.max(placed, known?.position ?? 0)) break
    const bodies = await findings.bodies(found.map(({ frame }) => frame))
    if (found.some(({ sound }, n) => sound || bodies[n] !== undefined)) return position
  }
  return Math.max(placed, known?.position ?? 0)
}

/**
 * Frames that are good though no successor links to them: by LevelDB's checksum, or since all that they say is known
 * from elsewhere: their place by the body, or by what links to that, and what they link to by the frame before.
 */
async function anchorsOf(
  found: readonly Candidate[],
  before: readonly Candidate[],
  findings: Findings,
): Promise<Candidate[]> {
  const bodies = await findings.bodies(found.map(({ frame }) => frame))
  const best: Candidate[] = []
  const others: Candidate[] = []
  for (const [n, candidate] of found.entries()) {
    const { frame, sound } = candidate
    const isPlaced = bodies[n] !== undefined || (await findings.isLinked(frame)) === true
    const isLinking =
      frame.position === 1 ? frame.prev === noHash : before.some(({ hash }) => hash === frame.prev)
    if (isPlaced && isLinking) best.push(candidate)
    else if (sound) others.push(candidate)
  }
  return [...best, ...others]
}

interface Candidates {
  readonly position: number
  readonly found: readonly Candidate[]
}

/** Candidates by position, asked for from the last to the first, with those of the position before. */
class CandidatesDown {
  readonly #source: AsyncIterator<Candidates>
  #here: Candidates | undefined
  #next: Candidates | undefined
  #begun = false

  constructor(findings: Findings) {
    this.#source = findings.candidatesDown()
  }

  async at(position: number): Promise<{ found: readonly Candidate[]; before: readonly Candidate[] }> {
    while (!this.#begun || (this.#here !== undefined && this.#here.position > position)) {
      this.#here = this.#begun ? this.#next : await this.#take()
      this.#next = this.#here && (await this.#take())
      this.#begun = true
    }
    const of = (wanted: number) =>
      [this.#here, this.#next].find(each => each?.position === wanted)?.found ?? []
    return { found: of(position), before: of(position - 1) }
  }

  async #take(): Promise<Candidates | undefined> {
    return (await this.#source.next()).value
  }
}

/** Losses in a row are one. */
function joined(losses: readonly Loss[]): Loss[] {
  const all: Loss[] = []
  for (const loss of losses) {
    const before = all.at(-1)
    const goesOn = before?.what === 'record' && loss.what === 'record' && loss.from === before.to + 1
    if (goesOn && before) all[all.length - 1] = { ...loss, from: before.from }
    else all.push(loss)
  }
  return all
}
