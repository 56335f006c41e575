import { JsonError, type JsonReader } from './reader.ts'
import {
  anything,
  locate,
  nullable,
  readColon,
  readElements,
  readEntries,
  type Type,
  wrongType,
} from './types.ts'

type Presence = 'required' | 'optional' | 'defaulted'

export interface Field<T> {
  readonly type: Type<T>
  readonly presence: Presence
  readonly initial: () => T | undefined
  /** An older name that is understood, too. */
  readonly alias?: string
  /** A mistake in it is told only when the whole struct has been read. */
  readonly late?: boolean
}

export type Fields = Readonly<Record<string, Field<unknown>>>

/** What reading a struct gives: optional fields may be missing, the order is that of the fields. */
export type Decoded<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

export function required<T>(type: Type<T>): Field<T> {
  return { type, presence: 'required', initial: () => undefined }
}

export function optional<T>(type: Type<T>): Field<T | undefined> {
  return { type: nullable(type), presence: 'optional', initial: () => undefined }
}

export function defaulted<T>(type: Type<T>, value: T): Field<T> {
  return { type, presence: 'defaulted', initial: () => structuredClone(value) }
}

export function aliased<T>(alias: string, field: Field<T>): Field<T> {
  return { ...field, alias }
}

export function late<T>(field: Field<T>): Field<T> {
  return { ...field, late: true }
}

/** A struct as the real one reads it: unknown keys are skipped, an array may give the fields in order. */
export function struct<F extends Fields>(name: string, fields: F): Type<Decoded<F>> {
  const expected = `struct ${name}`
  return {
    expected,
    read: reader => {
      const next = reader.peek()
      const found = new Map<string, unknown>()
      if (next === '{') locate(reader, () => readMap(reader, fields, found))
      else if (next === '[') locate(reader, () => readArray(reader, expected, fields, found))
      else throw wrongType(reader, expected)
      const result: Record<string, unknown> = {}
      for (const [key, field] of Object.entries(fields)) {
        // Also where there is no value: what is filled in later keeps its place among the keys.
        result[key] = found.has(key) ? found.get(key) : field.initial()
      }
      return result as Decoded<F>
    },
  }
}

function readMap(reader: JsonReader, fields: Fields, found: Map<string, unknown>): void {
  let lateError: JsonError | undefined
  readEntries(reader, written => {
    const key = Object.keys(fields).find(each => fields[each]?.alias === written) ?? written
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    if (field !== undefined && found.has(key)) throw new JsonError(`duplicate field \`${key}\``)
    readColon(reader)
    if (field === undefined) {
      anything.read(reader)
      return
    }
    try {
      found.set(key, field.type.read(reader))
    } catch (error) {
      if (!(error instanceof JsonError) || error.at !== undefined) throw error
      if (field.late === true) {
        found.set(key, undefined)
        lateError = error
        return
      }
      if (reader.peek() === '}') reader.skip()
      throw error
    }
  })
  if (lateError !== undefined) throw lateError
  for (const [key, field] of Object.entries(fields)) {
    if (field.presence === 'required' && !found.has(key)) throw new JsonError(`missing field \`${key}\``)
  }
}

function readArray(reader: JsonReader, expected: string, fields: Fields, found: Map<string, unknown>): void {
  const entries = Object.entries(fields)
  let count = 0
  readElements(reader, () => {
    const entry = entries[count]
    if (entry === undefined) throw reader.errorAhead('trailing characters')
    found.set(entry[0], entry[1].type.read(reader))
    count += 1
  })
  const missing = entries.findIndex(([key, field]) => !found.has(key) && field.presence !== 'defaulted')
  if (missing >= 0) {
    throw new JsonError(`invalid length ${missing}, expected ${expected} with ${entries.length} elements`)
  }
}
