import type { FileResult } from './run-file.ts'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const closingLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** One line for a file that passed; with its problems and all it printed for one that failed. */
export const describeFile = (result: FileResult): string => {
  const head = `${result.failed > 0 ? 'FAIL' : 'ok  '} ${result.name}: ${closingLine(result)}, ${result.ms} ms`
  if (result.failed === 0) return head
  // The bar keeps a closing line that a test printed from being taken for ours.
  const output = result.output.trimEnd()
  const lines = output === '' ? ['    (no output)'] : output.split('\n').map(line => `    | ${line}`)
  return [head, ...result.problems.map(problem => `    ${problem}`), ...lines].join('\n')
}

export const describeSkips = (results: readonly FileResult[]): string[] =>
  results.flatMap(result => result.skips.map(skip => `skipped: ${skip} (${result.name})`))
