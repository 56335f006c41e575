import type { FileResult } from './run-file.ts'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export const closingLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** A file's line, and below it what its tests told; of one that failed its problems and all its output. */
export const describeFile = (result: FileResult): string => {
  const head = `${result.failed > 0 ? 'FAIL' : 'ok  '} ${result.name}: ${closingLine(result)}, ${result.ms} ms`
  if (result.failed === 0) return [head, ...result.told.map(bar)].join('\n')
  const output = result.output.trimEnd()
  const lines = output === '' ? ['    (no output)'] : output.split('\n').map(bar)
  return [head, ...result.problems.map(problem => `    ${problem}`), ...lines].join('\n')
}

/** Keeps a closing line that a test printed from being taken for ours. */
const bar = (line: string): string => `    | ${line}`

export const describeSkips = (results: readonly FileResult[]): string[] =>
  results.flatMap(result => result.skips.map(skip => `skipped: ${skip} (${result.name})`))
