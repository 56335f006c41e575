import type { TestFile } from './discover.ts'

/**
 * Runs files side by side, at most `jobs` at once and at most one heavy one among them. Heavy files begin first, and of
 * all others those that may take longest: what is begun last should be over soon. Once the signal is aborted nothing more is begun.
 */
export const runAll = async (
  files: readonly TestFile[],
  jobs: number,
  run: (file: TestFile, number: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const waiting = [...files].sort((a, b) => Number(b.heavy) - Number(a.heavy) || b.timeoutMs - a.timeoutMs)
  const running = new Set<Promise<void>>()
  let heavyRuns = false
  let number = 0

  while (!signal.aborted) {
    const next = running.size < jobs ? waiting.findIndex(file => !(file.heavy && heavyRuns)) : -1
    const file = next < 0 ? undefined : waiting.splice(next, 1)[0]
    if (!file) {
      if (running.size === 0) break
      await Promise.race(running)
      continue
    }
    if (file.heavy) heavyRuns = true
    const done = run(file, ++number).finally(() => {
      if (file.heavy) heavyRuns = false
      running.delete(done)
    })
    running.add(done)
  }
  await Promise.all(running)
}
