import { JsonError, type JsonReader } from './reader.ts'

/** How one kind of value is read. */
export interface Type<T> {
  /** What an error says was expected. */
  readonly expected: string
  readonly read: (reader: JsonReader) => T
}

export function readJson<T>(type: Type<T>, reader: JsonReader): T {
  const value = locate(reader, () => type.read(reader))
  reader.end()
  return value
}

/** Gives an error that has no place yet the present one. */
export function locate<T>(reader: JsonReader, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof JsonError && error.at === undefined) throw reader.error(error.message)
    throw error
  }
}

export const bool: Type<boolean> = {
  expected: 'a boolean',
  read: reader => {
    const next = reader.peek()
    if (next !== 't' && next !== 'f') throw wrongType(reader, bool.expected)
    reader.readWord(next === 't' ? 'true' : 'false')
    return next === 't'
  },
}

export const text: Type<string> = textType('a string')
export const path: Type<string> = textType('path string')
export const u8 = integer('u8', 255)
export const u16 = integer('u16', 65_535)
export const u32 = integer('u32', 4_294_967_295)
/** Above 2^53 the value is rounded; no size or count comes near it. */
export const u64 = integer('u64', 2 ** 64)

export function variant<const V extends string>(...names: readonly V[]): Type<V> {
  const late = lateVariant(...names)
  return { expected: late.expected, read: reader => locate(reader, () => late.read(reader)) }
}

/** A variant whose mistake is noticed when the struct around it has been read: see `late`. */
export function lateVariant<const V extends string>(...names: readonly V[]): Type<V> {
  const quoted = names.map(name => `\`${name}\``)
  const expected = quoted.length === 2 ? quoted.join(' or ') : `one of ${quoted.join(', ')}`
  return {
    expected: 'string or map',
    read: reader => {
      if (reader.peek() !== '"') throw new JsonError(describeWrong(reader, 'string or map'))
      const name = reader.readString()
      const found = names.find(each => each === name)
      if (found === undefined) throw new JsonError(`unknown variant \`${name}\`, expected ${expected}`)
      return found
    },
  }
}

/** Text with a check of its own; `check` gives the error's text, if any. */
export function checkedText(check: (value: string) => string | undefined): Type<string> {
  return {
    expected: text.expected,
    read: reader => {
      const value = text.read(reader)
      const problem = check(value)
      if (problem !== undefined) throw new JsonError(problem)
      return value
    },
  }
}

export function nullable<T>(type: Type<T>): Type<T | undefined> {
  return {
    expected: type.expected,
    read: reader => {
      if (reader.peek() !== 'n') return type.read(reader)
      reader.readWord('null')
      return undefined
    },
  }
}

export function listOf<T>(type: Type<T>): Type<T[]> {
  return {
    expected: 'a sequence',
    read: reader => {
      if (reader.peek() !== '[') throw wrongType(reader, 'a sequence')
      const items: T[] = []
      readElements(reader, () => items.push(type.read(reader)))
      return items
    },
  }
}

/** Any JSON, kept as it is. */
export const anything: Type<unknown> = { expected: 'a value', read: readAnything }

export function readElements(reader: JsonReader, readOne: () => void): void {
  reader.skip()
  for (let first = true; ; first = false) {
    const next = reader.peek()
    if (next === undefined) throw reader.errorAhead('EOF while parsing a list')
    if (next === ']') break
    if (!first) {
      if (next !== ',') throw reader.errorAhead('expected `,` or `]`')
      reader.skip()
      if (reader.peek() === ']') throw reader.errorAhead('trailing comma')
      if (reader.peek() === undefined) throw reader.errorAhead('EOF while parsing a value')
    }
    try {
      readOne()
    } catch (error) {
      if (error instanceof JsonError && error.at === undefined && reader.peek() === ']') reader.skip()
      throw error
    }
  }
  reader.skip()
}

export function readEntries(reader: JsonReader, readValue: (key: string) => void): void {
  reader.skip()
  for (let first = true; ; first = false) {
    const next = reader.peek()
    if (next === undefined) throw reader.errorAhead('EOF while parsing an object')
    if (next === '}') break
    if (!first) {
      if (next !== ',') throw reader.errorAhead('expected `,` or `}`')
      reader.skip()
    }
    const opening = reader.peek()
    if (opening === undefined) throw reader.errorAhead('EOF while parsing a value')
    if (opening === '}') throw reader.errorAhead('trailing comma')
    if (opening !== '"') throw reader.errorAhead('key must be a string')
    readValue(reader.readString())
  }
  reader.skip()
}

export function readColon(reader: JsonReader): void {
  const next = reader.peek()
  if (next === undefined) throw reader.errorAhead('EOF while parsing an object')
  if (next !== ':') throw reader.errorAhead('expected `:`')
  reader.skip()
  if (reader.peek() === undefined) throw reader.errorAhead('EOF while parsing a value')
}

/** Reads the value that is there instead and says what it is. */
export function wrongType(reader: JsonReader, expected: string): JsonError {
  return reader.error(describeWrong(reader, expected))
}

function describeWrong(reader: JsonReader, expected: string): string {
  return `invalid type: ${describe(reader, reader.peek())}, expected ${expected}`
}

function describe(reader: JsonReader, next: string | undefined): string {
  if (next === '{') return 'map'
  if (next === '[') return 'sequence'
  if (next === '"') return `string ${JSON.stringify(reader.readString())}`
  if (next === 'n') {
    reader.readWord('null')
    return 'null'
  }
  if (next === 't' || next === 'f') return `boolean \`${bool.read(reader)}\``
  if (next !== undefined && /[-0-9]/.test(next)) return describeNumber(reader.readNumber())
  throw reader.errorAhead(next === undefined ? 'EOF while parsing a value' : 'expected value')
}

function describeNumber(written: string): string {
  if (/^-?[0-9]+$/.test(written)) return `integer \`${written}\``
  const value = Number(written)
  return `floating point \`${Number.isInteger(value) ? value.toFixed(1) : value}\``
}

function textType(expected: string): Type<string> {
  return {
    expected,
    read: reader => {
      if (reader.peek() !== '"') throw wrongType(reader, expected)
      return reader.readString()
    },
  }
}

function integer(name: string, max: number): Type<number> {
  return {
    expected: name,
    read: reader => {
      const next = reader.peek()
      if (next === undefined || !/[-0-9]/.test(next)) throw wrongType(reader, name)
      const written = reader.readNumber()
      if (!/^-?[0-9]+$/.test(written)) {
        throw reader.error(`invalid type: ${describeNumber(written)}, expected ${name}`)
      }
      const value = Number(written)
      if (value < 0 || value > max)
        throw reader.error(`invalid value: integer \`${written}\`, expected ${name}`)
      return value
    },
  }
}

function readAnything(reader: JsonReader): unknown {
  const next = reader.peek()
  if (next === '"') return reader.readString()
  if (next === 't' || next === 'f') return bool.read(reader)
  if (next === '[') {
    const items: unknown[] = []
    readElements(reader, () => items.push(readAnything(reader)))
    return items
  }
  if (next === '{') {
    const entries: Record<string, unknown> = {}
    readEntries(reader, key => {
      readColon(reader)
      entries[key] = readAnything(reader)
    })
    return entries
  }
  if (next === 'n') {
    reader.readWord('null')
    return null
  }
  if (next !== undefined && /[-0-9]/.test(next)) return Number(reader.readNumber())
  throw reader.errorAhead(next === undefined ? 'EOF while parsing a value' : 'expected value')
}
