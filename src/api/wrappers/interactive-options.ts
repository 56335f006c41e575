import * as v from 'valibot'
import { boxEntries } from '../options.ts'
import { strict, text } from '../schema.ts'

const program = v.pipe(text, v.nonEmpty('must not be empty'))

export const interactiveOptions = strict({
  ...boxEntries,
  /** program, or program and arguments; default `sh` */
  shell: v.optional(
    v.union(
      [program, v.pipe(v.array(text), v.nonEmpty('must have a program'))],
      'must be a program, or one with its arguments',
    ),
  ),
  /** the shell has a terminal; default: if this process has one */
  tty: v.optional(v.boolean()),
})

export type InteractiveBoxOptions = v.InferInput<typeof interactiveOptions>
