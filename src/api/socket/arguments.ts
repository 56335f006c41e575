import { randomUUID } from 'node:crypto'
import type * as v from 'valibot'
import { checkIdOrName } from '../id-or-name.ts'
import { check } from '../options.ts'

/** Options as they go over the socket, and what stays here. */
export interface Parted {
  readonly options: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
}

/**
 * Checks what a caller hands in, and takes the signal out of it. JSON would make something else of much that is none:
 * the owner checks what it gets, and never sees what it does not get.
 */
export function part(shape: v.GenericSchema, options: unknown, what: string): Parted {
  const given = check(shape, options === undefined ? {} : options, what)
  const { signal, ...rest } = given as { readonly signal?: AbortSignal }
  return { options: defined(rest), signal }
}

/** The same of a command, under an ID: cut off, it can be asked for again and is done once. */
export function partCommand(shape: v.GenericSchema, options: unknown, what: string): Parted {
  const { options: rest, signal } = part(shape, options, what)
  return { options: { commandId: randomUUID(), ...rest }, signal }
}

/** Longest of what can be neither ID nor name that is sent, in `characters`: an error repeats less. */
const longestWord = 1_024

/** What is to be an ID or a name: however long it is, the answer is that there is no such box. */
export function wordOf(idOrName: unknown): string {
  checkIdOrName(idOrName)
  return String(idOrName).slice(0, longestWord)
}

function defined(options: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
