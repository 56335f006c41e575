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

  const candidates = new Candidates(findings)
  for (let position = end; position > 0; position -= 1) {
    const found = await candidates.at(position)
    if (known?.position === position) expected ??= known.hash
    const anchors =
      expected === undefined
        ? await anchorsOf(found, findings)
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
    if ((await anchorsOf(found, findings)).length > 0) return position
  }
  return Math.max(placed, known?.position ?? 0)
}

/** Frames that are good though no successor links to them: their bodies prove them, or LevelDB's checksum does. */
async function anchorsOf(found: readonly Candidate[], findings: Findings): Promise<Candidate[]> {
  const bodies = await findings.bodies(found.map(({ frame }) => frame))
  const proven = found.filter((_, n) => bodies[n] !== undefined)
  return [...proven, ...found.filter((each, n) => bodies[n] === undefined && each.sound)]
}

/** Candidates by position, asked for from the last to the first. */
class Candidates {
  readonly #source: AsyncIterator<{ position: number; found: Candidate[] }>
  #next: { position: number; found: Candidate[] } | undefined
  #begun = false

  constructor(findings: Findings) {
    this.#source = findings.candidatesDown()
  }

  async at(position: number): Promise<readonly Candidate[]> {
    while (!this.#begun || (this.#next !== undefined && this.#next.position > position)) {
      this.#begun = true
      this.#next = (await this.#source.next()).value
    }
    return this.#next?.position === position ? this.#next.found : []
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
