export interface Limits {
  /** Files run side by side */
  readonly jobs: number
  /** The long run: tests take their full size */
  readonly isLong: boolean
  /** What is left of the whole run's time, in `ms` */
  readonly remainingMs: () => number
}

/**
 * Reads `BOXLEDGER_TEST_JOBS` (default 2), `BOXLEDGER_TEST_LIMIT`, the whole run's time in seconds (default none), and
 * `BOXLEDGER_TEST_LONG` (`1` is the long run).
 */
export const readLimits = (env: NodeJS.ProcessEnv): Limits => {
  const jobs = positive(env, 'BOXLEDGER_TEST_JOBS') ?? 2
  const seconds = positive(env, 'BOXLEDGER_TEST_LIMIT')
  const end = seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000
  return {
    jobs,
    isLong: env.BOXLEDGER_TEST_LONG === '1',
    remainingMs: () => Math.max(0, end - performance.now()),
  }
}

const positive = (env: NodeJS.ProcessEnv, name: string): number | undefined => {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${name} is ${JSON.stringify(text)}; give it a whole number above 0.`)
}
