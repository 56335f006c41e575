import { fileURLToPath } from 'node:url'
import { discover, type TestFile } from './discover.ts'
import { type FileResult, runFile } from './run-file.ts'
import type { RunOptions } from './run-program.ts'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A program of `test/fixtures/runner` as a test file. */
export const fixture = async (name: string): Promise<TestFile> => {
  const [file] = await discover(root, [`${root}test/fixtures/runner/${name}.mjs`])
  if (!file) throw new Error(`There is no fixture ${name}.`)
  return file
}

/** Runs a fixture as the runner would. */
export const runFixture = async (name: string, options: Partial<RunOptions> = {}): Promise<FileResult> => {
  const file = await fixture(name)
  const id = `${process.env.BOXLEDGER_TEST_RUN ?? 'alone'}.${name}-${process.pid}`
  const defaults = { root, id, timeoutMs: file.timeoutMs, signal: new AbortController().signal }
  return runFile(file, { ...defaults, ...options })
}

/** The counts of a result, to compare at once. */
export const countsOf = ({ passed, failed, skipped }: FileResult): number[] => [passed, failed, skipped]
