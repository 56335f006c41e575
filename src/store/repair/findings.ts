import { decodeFrame, decodeStored, type Frame } from '../codec.ts'
import type { Database } from '../database.ts'
import { entryPages } from '../scan.ts'
import { fixed, linkPrefix } from './stash.ts'

/** A frame that was found for a position. */
export interface Candidate {
  readonly frame: Frame
  readonly text: string
  readonly hash: string
  /** LevelDB's checksum was right */
  readonly sound: boolean
}

/** What a frame says of its record. */
export interface Place {
  readonly box: string
  readonly version: number
  readonly bodyHash: string
}

/** A body that is missing, of which its successor or its head tell. */
export interface Gap extends Place {
  /** first position, and last one, that it may have had */
  readonly from: number
  readonly to: number
}

/** A body that was found under a position. */
export interface PlacedBody extends Place {
  readonly sound: boolean
}

/** Looks up what the stash has. */
export class Findings {
  readonly #db: Database
  #gaps: Promise<readonly Gap[]> | undefined

  constructor(db: Database) {
    this.#db = db
  }

  /** Frames by position, from the last to the first. */
  async *candidatesDown(): AsyncGenerator<{ position: number; found: Candidate[] }> {
    let position = 0
    let found: Candidate[] = []
    const range = { gte: 'f/', lt: 'f0', reverse: true }
    for await (const page of entryPages(this.#db, range))
      for (const [key, value] of page) {
        const [, digits = '', hash = ''] = key.split('/')
        const text = value.slice(1)
        const frame = decodeFrame(text)
        if (frame === undefined) continue
        const at = Number.parseInt(digits, 16)
        if (at !== position && found.length > 0) {
          yield { position, found }
          found = []
        }
        position = at
        found.push({ frame, text, hash, sound: value[0] === '+' })
      }
    if (found.length > 0) yield { position, found }
  }

  /** Texts of bodies that are what these places say; undefined: not found. */
  async bodies(places: readonly (Place | undefined)[]): Promise<(string | undefined)[]> {
    const texts: (string | undefined)[] = await this.#db.getMany(
      places.map(place => `B/${place?.bodyHash ?? ''}`),
    )
    return texts.map((text, n) => {
      const body = decodeStored(text)
      const place = places[n]
      return body?.box === place?.box && body?.version === place?.version ? text : undefined
    })
  }

  /** Bodies that were found under positions, both inclusive, with good keys. */
  async placed(from: number, to: number): Promise<Map<number, PlacedBody[]>> {
    const found = new Map<number, PlacedBody[]>()
    for await (const page of entryPages(this.#db, { gte: `P/${fixed(from)}/`, lt: `P/${fixed(to)}0` }))
      for (const [key, value] of page) {
        const [, digits = '', bodyHash = ''] = key.split('/')
        const [box = '', version = ''] = value.slice(1).split('/')
        const body = { box, version: Number(version), bodyHash, sound: value[0] === '+' }
        const position = Number.parseInt(digits, 16)
        found.set(position, [...(found.get(position) ?? []), body])
      }
    return found
  }

  /** The last position under which a body was found, its checksum being right; 0: none. */
  async lastPlaced(): Promise<number> {
    const down = { gte: 'P/', lt: 'P0', reverse: true }
    for await (const page of entryPages(this.#db, down))
      for (const [key, value] of page)
        if (value[0] === '+') return Number.parseInt(key.split('/')[1] ?? '', 16)
    return 0
  }

  /** Where bodies were that are not there any more, as their keys say. */
  async *broken(): AsyncGenerator<{ position: number; box: string; version: number; sound: boolean }> {
    for await (const page of entryPages(this.#db, { gte: 'Q/', lt: 'Q0' }))
      for (const [key, value] of page) {
        const [, digits = '', box = '', version = ''] = key.split('/')
        const position = Number.parseInt(digits, 16)
        yield { position, box, version: Number(version), sound: value === '+' }
      }
  }

  /** Whether a body's successor, or its head, link to it; undefined: neither was found. */
  async isLinked({ box, version, bodyHash }: Place): Promise<boolean | undefined> {
    const prefix = linkPrefix(box, version)
    const keys = await this.#db.keys({ gte: prefix, lt: `${prefix.slice(0, -1)}0` }).all()
    return keys.length === 0 ? undefined : keys.includes(prefix + bodyHash)
  }

  /** Bodies that are missing, all of them. */
  gaps(): Promise<readonly Gap[]> {
    this.#gaps ??= this.#findGaps()
    return this.#gaps
  }

  async #findGaps(): Promise<readonly Gap[]> {
    const gaps: Gap[] = []
    for await (const page of entryPages(this.#db, { gte: 'V/', lt: 'V0' })) {
      const hashes = page.map(([key]) => key.slice(key.lastIndexOf('/') + 1))
      const there = await this.#db.hasMany(hashes.map(hash => `B/${hash}`))
      for (const [n, [key, limit]] of page.entries()) {
        if (there[n]) continue
        const [, box = '', version = ''] = key.split('/')
        const exact = limit.startsWith('=')
        const position = limit === '' ? Number.MAX_SAFE_INTEGER : Number(limit.replace('=', ''))
        const range = exact ? { from: position, to: position } : { from: 1, to: position - 1 }
        gaps.push({ box, version: Number.parseInt(version, 16), bodyHash: hashes[n] ?? '', ...range })
      }
    }
    return gaps
  }

  /** Values of a key that is neither frame nor body, newest first; undefined: it was deleted. */
  async *states(prefix: string): AsyncGenerator<{ key: string; values: (string | undefined)[] }> {
    let key = ''
    let values: (string | undefined)[] = []
    const last = String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
    const range = { gte: `S/${prefix}`, lt: `S/${prefix.slice(0, -1)}${last}` }
    for await (const page of entryPages(this.#db, range))
      for (const [stateKey, value] of page) {
        const at = stateKey.slice(2, stateKey.lastIndexOf('\0'))
        if (at !== key && values.length > 0) {
          yield { key, values }
          values = []
        }
        key = at
        values.unshift(value === 'd' ? undefined : value.slice(1))
      }
    if (values.length > 0) yield { key, values }
  }
}
