import { statSync } from 'node:fs'
import { run } from './run.ts'

const limitMs = 5_000

/** Asked once per program and process; a program that was replaced is another. */
const versions = new Map<string, Promise<string>>()

/** What `-V` prints, to know a VMM's flags before it is started; empty if it says nothing. */
export function probeVersion(command: readonly string[], signal: AbortSignal): Promise<string> {
  const key = `${command.join('\0')}\0${stampOf(command[0] ?? '')}`
  const known = versions.get(key)
  if (known) return known
  const asked = run([...command, '-V'], { limitMs, signal }).then(({ exitCode, stdout }) => {
    if (exitCode !== 0) versions.delete(key)
    return exitCode === 0 ? stdout : ''
  })
  versions.set(key, asked)
  return asked
}

/** Changes when the file at a path does. */
export function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${ino}:${size}:${mtimeMs}`
  } catch {
    return ''
  }
}
