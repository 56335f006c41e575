import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

export interface TestFile {
  /** Path below `test/`, as people write it */
  readonly name: string
  /** The program to run */
  readonly program: string
  /**
   * `heavy`: it uses virtual machines, and one such file runs at a time; `idle`: it mostly waits, for time limits or for
   * others, and one such file runs beside all others
   */
  readonly load: 'heavy' | 'usual' | 'idle'
  /** Time for the whole file, in `ms` */
  readonly timeoutMs: number
}

const DEFAULT_TIMEOUT_S = 180

/**
 * Finds the tests by their sources, so that what an older build left in `dist` is not run. Filters are parts of paths;
 * one that ends in `.mjs` is a program to run as it is. A file says its time on a line `// @timeout SECONDS`, and, if it
 * takes more in the long run, on a line `// @timeout-long SECONDS`; its load on a line `// @heavy` or `// @idle`.
 */
export const discover = async (
  root: string,
  filters: readonly string[],
  { isLong = false } = {},
): Promise<TestFile[]> => {
  const programs = filters.filter(filter => filter.endsWith('.mjs'))
  const parts = filters.filter(filter => !filter.endsWith('.mjs'))
  const names = programs.length > 0 && parts.length === 0 ? [] : await listSources(root)
  const wanted = names.filter(name => parts.length === 0 || parts.some(part => `test/${name}`.includes(part)))
  return Promise.all([
    ...wanted.map(name => {
      const program = path.join(root, 'dist/test', name.replace(/\.ts$/, '.js'))
      return describe(name, path.join(root, 'test', name), program, isLong)
    }),
    ...programs.map(name => describe(name, path.resolve(name), path.resolve(name), isLong)),
  ])
}

const listSources = async (root: string): Promise<string[]> => {
  const names = await readdir(path.join(root, 'test'), { recursive: true })
  return names.filter(name => name.endsWith('.test.ts') && !name.startsWith('fixtures/')).sort()
}

const describe = async (
  name: string,
  source: string,
  program: string,
  isLong: boolean,
): Promise<TestFile> => {
  const text = await readFile(source, 'utf8')
  const short = /^\/\/ @timeout (\d+)\s*$/m.exec(text)?.[1]
  const long = isLong ? /^\/\/ @timeout-long (\d+)\s*$/m.exec(text)?.[1] : undefined
  const seconds = Number(long ?? short ?? DEFAULT_TIMEOUT_S)
  const isHeavy = /\.qemu\.test\.ts$/.test(name) || /^\/\/ @heavy\s*$/m.test(text)
  const load = isHeavy ? 'heavy' : /^\/\/ @idle\s*$/m.test(text) ? 'idle' : 'usual'
  return { name, program, load, timeoutMs: seconds * 1000 }
}
