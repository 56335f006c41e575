export interface Summary {
  /** Tests that ran, as uvu counts them; absent when the file ended before its summary */
  readonly total: number | undefined
  readonly passed: number
  readonly skipped: number
  /** `name: reason` of each line `SKIP name: reason` */
  readonly skips: readonly string[]
  /** Names of the tests that ran on QEMU */
  readonly qemu: readonly string[]
  /** Lines that the tests printed themselves: seeds, counts, tables */
  readonly told: readonly string[]
}

// uvu writes ` suite  • • ` without an end of line, so what a test prints may stand behind it.
const NOTE = /^(?:.*[•✘] | \S.* {2})?(SKIP|QEMU) (.*\S)\s*$/

const DOTS = /^(?: \S.*? {2})?(?:[•✘] )*/
const COUNT = / *\(\d+ \/ \d+\)$/
const TOTALS = /^ {2}(?:Total|Passed|Skipped|Duration): /

/** Reads what a test file printed: uvu's summary and the notes of `test/support/requires.ts`. */
export const readSummary = (output: string): Summary => {
  const skips: string[] = []
  const qemu: string[] = []
  const told: string[] = []
  for (const line of output.split('\n')) {
    const [, kind, text] = NOTE.exec(line) ?? []
    if (text === undefined) {
      const own = TOTALS.test(line) ? '' : line.replace(DOTS, '').replace(COUNT, '')
      if (own.trim() !== '') told.push(own)
      continue
    }
    if (kind === 'QEMU') qemu.push(text)
    else if (/^.+: ./.test(text)) skips.push(text)
  }
  // The last one counts: a test may have shown the output of another run.
  const [, total, passed, skipped] =
    [...output.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm)].at(-1) ?? []
  return {
    total: total === undefined ? undefined : Number(total),
    passed: Number(passed ?? 0),
    skipped: Number(skipped ?? 0),
    skips,
    qemu,
    told,
  }
}
