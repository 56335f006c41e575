import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * Makes a directory that is removed at the end of its scope. Its name is short, since Unix sockets' paths end at 107 bytes.
 *
 *     using tmp = tempDir()
 *     const home = path.join(tmp.path, 'home')
 */
export const tempDir = (): Disposable & { readonly path: string } => {
  const dir = mkdtempSync(path.join(tmpdir(), 't-'))
  return {
    path: dir,
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }),
  }
}

/** The same around a function. */
export const withTempDir = async <T>(fn: (dir: string) => T | Promise<T>): Promise<T> => {
  using tmp = tempDir()
  return await fn(tmp.path)
}
