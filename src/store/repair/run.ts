import { encodeFrame, noHash, sha256 } from '../codec.ts'
import type { Loss } from '../losses.ts'
import type { Candidate, Findings, Gap, Place, PlacedBody } from './findings.ts'

/** Positions in a row whose frames are missing, or cannot be proven. */
export interface Run {
  readonly from: number
  readonly to: number
  /** hash of the frame before the first */
  readonly prev: string
  /** hash of the last frame, as its successor or the tail file has it */
  readonly hash: string | undefined
  /** frames that were found in the run, by position, and are not the right ones, or not proven */
  readonly suspects: ReadonlyMap<number, readonly Candidate[]>
}

export interface MadeFrame {
  readonly position: number
  readonly text: string
}

export interface Resolved {
  readonly frames: readonly MadeFrame[]
  readonly losses: readonly Loss[]
}

/** How many hashes may be tried in vain, beside one for each position. */
const maxTries = 20_000
/** How many missing bodies are tried at a position. */
const maxGaps = 64
/** How many pairs of a position and a missing body are looked at: where that much is lost, nothing is proven by trying. */
const maxPairs = 10_000_000

/**
 * Makes the frames of a run anew, from the bodies that are there and from what their neighbours tell of those that are
 * not, so that the last one has the hash that is known of it: this proves all of them at once. Undefined if that cannot
 * be done.
 */
export async function proveRun(run: Run, findings: Findings): Promise<Resolved | undefined> {
  if (run.hash === undefined) return undefined
  const placed = await findings.placed(run.from, run.to)
  const length = run.to - run.from + 1
  const all = await findings.gaps()
  const gaps = all.length * (length - placed.size) > maxPairs ? [] : all
  // A body that is there is the right one, mostly.
  for (const isDoubted of [false, true]) {
    const options: Place[][] = []
    for (let position = run.from; position <= run.to; position += 1) {
      const bodies = placed.get(position) ?? []
      const suspects = run.suspects.get(position) ?? []
      const others = isDoubted || bodies.length === 0 ? othersAt(position, gaps, suspects) : []
      options.push([...bodies, ...others])
    }
    const texts = chain(run, options)
    if (texts) return { frames: texts.map((text, n) => ({ position: run.from + n, text })), losses: [] }
  }
  return undefined
}

/** What may have been at a position, by other frames that say so, and by what is missing; the likeliest first. */
function othersAt(position: number, gaps: readonly Gap[], suspects: readonly Candidate[]): Place[] {
  const possible = gaps
    .filter(({ from, to }) => from <= position && position <= to)
    .sort((a, b) => a.to - b.to)
    .slice(0, maxGaps)
  return [...suspects.map(({ frame }) => frame), ...possible]
}

/** Goes through the options until the last hash is the right one. */
function chain(run: Run, options: readonly (readonly Place[])[]): string[] | undefined {
  const texts: string[] = []
  const hashes: string[] = []
  const choices = new Array<number>(options.length).fill(0)
  let tries = options.length + maxTries
  for (let n = 0; n >= 0; ) {
    const place = options[n]?.[choices[n] ?? 0]
    if (place === undefined) {
      // No more options here: another one before.
      choices[n] = 0
      n -= 1
      if (n >= 0) choices[n] = (choices[n] ?? 0) + 1
      continue
    }
    tries -= 1
    if (tries < 0) return undefined
    const text = frameAt(run.from + n, hashes[n - 1] ?? run.prev, place)
    texts[n] = text
    hashes[n] = sha256(text)
    if (n < options.length - 1) n += 1
    else if (hashes[n] === run.hash) return texts
    else choices[n] = (choices[n] ?? 0) + 1
  }
  return undefined
}

function frameAt(position: number, prev: string, { box, version, bodyHash }: Place): string {
  return encodeFrame({ position, prev, bodyHash, box, version })
}

/**
 * What can be kept of a run that cannot be proven: good bodies. Up to the first one that is missing their frames are as
 * they were, all that they say being known; those behind it get frames that nothing proves, and that is declared.
 */
export async function saveRun(run: Run, findings: Findings): Promise<Resolved> {
  const placed = await findings.placed(run.from, run.to)
  const frames: MadeFrame[] = []
  const losses: Loss[] = []
  let prev: string | undefined = run.prev
  let isExact = true
  for (let position = run.from; position <= run.to; position += 1) {
    const body = await goodBody(placed.get(position) ?? [], findings)
    const hash = position === run.to ? run.hash : undefined
    if (body === undefined) {
      isExact = false
      prev = undefined
      losses.push({ from: position, to: position, what: 'record', hash: hash ?? noHash })
      continue
    }
    const text = frameAt(position, prev ?? noHash, body)
    frames.push({ position, text })
    prev = sha256(text)
    const contradicts = hash !== undefined && hash !== prev
    if (isExact && contradicts) return { frames, losses: frames.map(frame => unproven(frame.position, run)) }
    if (!isExact) losses.push(unproven(position, run))
  }
  return { frames, losses }
}

function unproven(position: number, { to, hash }: Run): Loss {
  return { from: position, to: position, what: 'frame', ...(position === to && hash ? { hash } : {}) }
}

/** The body that was under a position, if that is beyond doubt without a frame. */
async function goodBody(bodies: readonly PlacedBody[], findings: Findings): Promise<PlacedBody | undefined> {
  for (const body of bodies) if ((await findings.isLinked(body)) ?? body.sound) return body
  return undefined
}
