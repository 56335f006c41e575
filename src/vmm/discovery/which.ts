import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** Absolute path of a program: of a name from PATH, of a path as it is; undefined if it cannot be run. */
export function which(program: string, path: string | undefined): string | undefined {
  if (program === '') return undefined
  if (program.includes('/')) return isProgram(resolve(program)) ? resolve(program) : undefined
  for (const dir of (path ?? '').split(delimiter)) {
    if (isAbsolute(dir) && isProgram(join(dir, program))) return join(dir, program)
  }
  return undefined
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
