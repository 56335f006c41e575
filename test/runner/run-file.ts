import { readFile, rm } from 'node:fs/promises'
import type { TestFile } from './discover.ts'
import { removeLeftovers } from './leftovers.ts'
import { type Ending, type RunOptions, runProgram } from './run-program.ts'
import { readSummary, type Summary } from './summary.ts'
import { makeWorkspace } from './workspace.ts'

export interface FileResult {
  readonly name: string
  readonly ms: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly skips: readonly string[]
  readonly qemu: readonly string[]
  readonly told: readonly string[]
  /** What is wrong besides failing tests */
  readonly problems: readonly string[]
  readonly output: string
}

/** Runs one test file in a session of its own, ends it at its time limit, and looks for what it left behind. */
export const runFile = async (file: TestFile, options: RunOptions): Promise<FileResult> => {
  const started = performance.now()
  const workspace = await makeWorkspace(options.id)
  const ending = await runProgram(file, options, workspace)
  const mark = { id: options.id, dir: workspace.dir, leader: ending.pid }
  // What dies with the file's process may take a moment.
  const { named, stuck } = await removeLeftovers(mark, 1000)
  // A file that was killed had no chance to clean up.
  const leftovers = ending.how === 'exited' ? [...named, ...stuck] : stuck
  const output = await readFile(workspace.outputPath, 'utf8')
  await rm(workspace.outputPath, { force: true })

  const summary = readSummary(output)
  const problems = [...judge(ending, summary), ...leftovers.map(what => `left behind: ${what}`)]
  const failing = summary.total === undefined ? 0 : summary.total - summary.passed
  // Tests that noticed while running that they cannot run here are passed to uvu, skipped to us.
  const skipped = Math.max(summary.skipped, summary.skips.length)
  return {
    name: file.name,
    ms: Math.round(performance.now() - started),
    passed: Math.max(0, summary.passed - (skipped - summary.skipped)),
    failed: Math.max(failing, problems.length > 0 ? 1 : 0),
    skipped,
    skips: summary.skips,
    qemu: summary.qemu,
    told: summary.told,
    problems,
    output,
  }
}

const judge = (ending: Ending, summary: Summary): string[] => {
  const problems: string[] = []
  const finished = summary.total !== undefined
  if (ending.how === 'timed out') {
    const why = finished ? ' (its tests were over: something keeps the process alive)' : ''
    problems.push(`timed out: did not end within ${ending.detail} and was killed${why}`, ...ending.killed)
  } else if (ending.how !== 'exited') {
    problems.push(`${ending.how}: ${ending.detail}`)
  } else if (ending.code === null) {
    problems.push(`crashed: ${ending.detail}`)
  } else if (ending.code !== 0 && (!finished || summary.total === summary.passed)) {
    problems.push(
      `exited with ${ending.code} ${finished ? 'although its tests passed' : 'before its summary'}`,
    )
  } else if (!finished || summary.total + summary.skipped === 0) {
    problems.push('registers no tests: is `.run()` missing?')
  }
  if (summary.skipped > summary.skips.length) {
    const silent = summary.skipped - summary.skips.length
    problems.push(`skipped without a reason: ${silent} (print \`SKIP name: reason\`; is there a \`.only\`?)`)
  }
  return problems
}
