// Runs the compiled tests: `npm test`, or after a build `node dist/test/run.js [part of a path | file.mjs …]`.
// Each file is a process of its own; the last line printed is `N passed, N failed[, N skipped]`.
import { constants, tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { discover } from './runner/discover.ts'
import { readLimits } from './runner/limits.ts'
import { checkQemuCount, readQemuWanted } from './runner/qemu-count.ts'
import { closingLine, describeFile, describeSkips } from './runner/report.ts'
import { type FileResult, runFile } from './runner/run-file.ts'
import { runAll } from './runner/schedule.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const filters = process.argv.slice(2)
const limits = readLimits(process.env)
const runId = `${process.env.BOXLEDGER_TEST_RUN ?? 'run'}.${process.pid}-${Date.now().toString(36)}`
const print = (text: string): boolean => process.stdout.write(`${text}\n`)

process.env.BOXLEDGER_TEST_IMAGES ??= path.join(tmpdir(), `boxledger-test-images-${userInfo().uid}`)

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    process.exitCode = 128 + constants.signals[name]
    stop.abort(name)
  })
}
// A reader that went away (`npm test | head`) must not leave tests running behind.
process.stdout.on('error', () => stop.abort('output closed'))

const files = await discover(root, filters, limits)
const results: FileResult[] = []
await runAll(
  files,
  limits.jobs,
  async (file, number) => {
    const timeoutMs = Math.min(file.timeoutMs, limits.remainingMs())
    const result = await runFile(file, { root, id: `${runId}.${number}`, timeoutMs, signal: stop.signal })
    results.push(result)
    print(describeFile(result))
  },
  stop.signal,
)

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const result of results) {
  counts.passed += result.passed
  counts.failed += result.failed
  counts.skipped += result.skipped
}
const complain = (problem: string): void => {
  print(`FAIL ${problem}`)
  counts.failed++
}

print('')
for (const line of describeSkips(results)) print(line)
for (const result of results) if (result.failed > 0) print(`failed: ${result.name}`)
if (files.length === 0) complain(`no test file matches ${filters.join(' ') || 'test/**/*.test.ts'}`)
if (stop.signal.aborted) {
  complain(`stopped (${String(stop.signal.reason)}): ${results.length} of ${files.length} files were begun`)
}
const qemu = checkQemuCount({
  ran: results.flatMap(result => result.qemu).length,
  wanted: await readQemuWanted(root),
  required: process.env.BOXLEDGER_REQUIRE_QEMU === '1' && filters.length === 0,
})
print(qemu.line)
if (qemu.problem) complain(qemu.problem)
if (counts.failed > 0) process.exitCode ||= 1
print(closingLine(counts))
