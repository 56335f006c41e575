import { isSameJson, publicStateOf, type StreamHead, type StreamState } from '../../machines/index.ts'
import { decodeHead, unseal } from '../codec.ts'
import { isOver } from '../entry.ts'

/** A stream as its records tell it. */
export interface Chain {
  version: number
  /** positions of the first and the last record */
  created: number
  position: number
  bodyHash: string
  to: string | undefined
  /** folded so far; undefined where it cannot be folded any more, or need not */
  state: StreamState | undefined
  folding: boolean
}

/** Nothing follows after them in a stream. */
const endings: ReadonlySet<string | undefined> = new Set(['removed', 'ended', 'lost'])

/** Whether a stream is over that has come to this. */
export function isOverIn(to: string | undefined): boolean {
  return endings.has(to)
}

/** Whether a stored head is that of a stream that is over, which mostly needs no parser. */
export function isHeadOf(box: string, sealed: string | undefined, chain: Chain): boolean {
  if (sealed === undefined) return false
  const { version, position, created, bodyHash, to } = chain
  const begin = `{"box":"${box}","version":${version},"position":${position},"createdPosition":${created},`
  const isPlain =
    !chain.folding &&
    sealed.startsWith(begin, 8) &&
    sealed.includes(`,"bodyHash":"${bodyHash}",`) &&
    sealed.includes(`,"state":{"value":"${to}","context":{`) &&
    unseal(sealed) !== undefined
  if (isPlain) return true
  const head = decodeHead(sealed)
  return head?.box === box && isOver(head) && differenceOf(head, chain) === undefined
}

/** Whether a stored head is that of a stream that lives. */
export function isLivingHeadOf(box: string, sealed: string | undefined, chain: Chain): boolean {
  const head = decodeHead(sealed)
  return head?.box === box && !isOver(head) && differenceOf(head, chain) === undefined
}

/** What of a head is not as its records tell. */
export function differenceOf(head: StreamHead, chain: Chain): string | undefined {
  if (head.version !== chain.version) return 'version'
  if (head.position !== chain.position) return 'position'
  if (head.createdPosition !== chain.created) return 'position of creation'
  if (head.bodyHash !== chain.bodyHash) return 'body hash'
  if (chain.to !== undefined && publicStateOf(head.state.value) !== chain.to) return 'state'
  if (chain.folding && !isSameJson(chain.state, head.state)) return 'state, as it is replayed,'
  return undefined
}
