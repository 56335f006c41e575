/** What a file of the database says of a key, at some time. */
export interface Salvaged {
  readonly key: string
  /** undefined: the key was deleted */
  readonly value: string | undefined
  /** order in which LevelDB took it; 0: not known */
  readonly sequence: number
  /** the bytes are as LevelDB wrote them, by its checksum; else they may be anything */
  readonly sound: boolean
}

/** Keys that the ledger has. Anything else that looks like an entry is none. */
export const keyPattern = /^(?:f\/[0-9a-f]{14}|b\/[\w.-]+\/[0-9a-f]{14}\/[0-9a-f]{14}|[hrncm]\/.+)$/s

/** A text from the midst of damage, that is a frame or a body by its looks: its hash has to prove it. */
export interface Carved {
  readonly text: string
}

const frame =
  /\{"position":\d+,"prev":"[0-9a-f]{64}","bodyHash":"[0-9a-f]{64}","box":"[^"]+","version":\d+\}/g
const bodyStart = '{"box":"'

/** Finds frames and bodies by their looks alone, where the structure around them is damaged. */
export function* carve(bytes: Buffer): Generator<Carved> {
  const text = bytes.toString('latin1')
  for (const [found] of text.matchAll(frame)) yield { text: found }
  for (let at = text.indexOf(bodyStart); at >= 0; at = text.indexOf(bodyStart, at + 1)) {
    const end = endOfObject(text, at)
    if (end !== undefined) yield { text: bytes.toString('utf8', at, end) }
  }
}

/** Largest text that is looked through for its end, in `bytes`. */
const maxObject = 1 << 18

function endOfObject(text: string, start: number): number | undefined {
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length && at - start < maxObject; at += 1) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at += 1
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{') depth += 1
    else if (char === '}') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}
