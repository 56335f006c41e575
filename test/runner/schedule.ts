import type { TestFile } from './discover.ts'

/**
 * Runs files side by side, at most `jobs` at once and at most one heavy one among them, and one idle one beside them. Heavy
 * files begin first, and of all others those that may take longest: what is begun last should be over soon. Once the
 * signal is aborted nothing more is begun.
 */
export const runAll = async (
  files: readonly TestFile[],
  jobs: number,
  run: (file: TestFile, number: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const isHeavy = ({ load }: TestFile) => load === 'heavy'
  const waiting = [...files].sort(
    (a, b) => Number(isHeavy(b)) - Number(isHeavy(a)) || b.timeoutMs - a.timeoutMs,
  )
  const running = new Map<TestFile, Promise<void>>()
  const runs = (load: TestFile['load']) => [...running.keys()].filter(file => file.load === load).length
  const hasRoom = ({ load }: TestFile): boolean => {
    if (load === 'idle') return runs('idle') === 0
    return running.size - runs('idle') < jobs && !(load === 'heavy' && runs('heavy') > 0)
  }
  let number = 0

  while (!signal.aborted) {
    const next = waiting.findIndex(hasRoom)
    const file = next < 0 ? undefined : waiting.splice(next, 1)[0]
    if (!file) {
      if (running.size === 0) break
      await Promise.race(running.values())
      continue
    }
    running.set(
      file,
      run(file, ++number).finally(() => running.delete(file)),
    )
  }
  await Promise.all(running.values())
}
