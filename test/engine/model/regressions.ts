import type { Step } from './steps.ts'

/** Sequences that once failed, as they were shrunk, with what they found. They are run before all others. */
export const regressions: readonly { readonly found: string; readonly steps: readonly Step[] }[] = []
