import { createHmac, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { HashedArguments } from '../machines/index.ts'

const keyBytes = 32

/** The home's own key, made when it is first wanted: `secrets/arguments.key`, 0600. */
export async function argumentsKey(home: string): Promise<Buffer> {
  const dir = join(home, 'secrets')
  const path = join(dir, 'arguments.key')
  try {
    const key = await readFile(path)
    if (key.length === keyBytes) return key
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const key = randomBytes(keyBytes)
  const file = await open(`${path}.draft`, 'w', 0o600)
  try {
    await file.writeFile(key)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.draft`, path)
  return key
}

/** What the ledger is told of arguments: whether two executions had the same, and not which. */
export function hashArguments(key: Buffer, args: readonly string[]): HashedArguments {
  return { count: args.length, hmac: createHmac('sha256', key).update(JSON.stringify(args)).digest('hex') }
}
