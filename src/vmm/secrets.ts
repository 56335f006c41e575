import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Boundary, EnvValue } from '../machines/index.ts'

/**
 * Values that the ledger must not know: `secrets/BOX` in the home, JSON, 0600. They are written before the box is
 * recorded, as `BOX.draft`, since whoever hears of the box may start it at once; a draft whose box was recorded counts.
 */
export type Secrets = Readonly<Record<string, string>>

const draftOf = (path: string) => `${path}.draft`
const dirOf = (home: string) => join(home, 'secrets')
const fileOf = (home: string, box: string) => join(dirOf(home), box)

/** Keeps a new box's secrets durably until it is known whether the box is recorded. */
export async function draftSecrets(home: string, box: string, secrets: Secrets): Promise<void> {
  mkdirSync(dirOf(home), { recursive: true, mode: 0o700 })
  const file = await open(draftOf(fileOf(home, box)), 'wx', 0o600)
  try {
    await file.writeFile(JSON.stringify(secrets))
    await file.sync()
  } finally {
    await file.close()
  }
  await syncDir(home)
}

/** The box is recorded. Where its draft cannot be renamed it serves as well. */
export async function keepSecrets(home: string, box: string): Promise<void> {
  const path = fileOf(home, box)
  await rename(draftOf(path), path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === undefined) throw error
  })
}

/** The box was not recorded, and never will be. */
export async function dropDraft(home: string, box: string): Promise<void> {
  await rm(draftOf(fileOf(home, box)), { force: true })
}

/** Settles what an owner left that died while it made boxes. */
export function settleDrafts(home: string, isRecorded: (box: string) => boolean, boundary: Boundary): void {
  for (const name of namesIn(dirOf(home))) {
    if (!name.endsWith('.draft')) continue
    const box = name.slice(0, -'.draft'.length)
    boundary('before settling a draft')
    if (isRecorded(box)) renameSync(draftOf(fileOf(home, box)), fileOf(home, box))
    else rmSync(join(dirOf(home), name), { force: true })
    boundary('after settling a draft')
  }
}

/** Whether a box has any; most have none. */
export function mayHaveSecrets(home: string, box: string): boolean {
  const path = fileOf(home, box)
  return existsSync(path) || existsSync(draftOf(path))
}

export async function readSecrets(home: string, box: string): Promise<Secrets> {
  const path = fileOf(home, box)
  const text = (await textOf(path)) ?? (await textOf(draftOf(path))) ?? (await textOf(path))
  return text === undefined ? {} : (JSON.parse(text) as Secrets)
}

/** An environment with its secrets in it; throws `missing` of the name of one that is not kept. */
export function revealed(
  env: Readonly<Record<string, EnvValue>>,
  secrets: Secrets,
  missing: (name: string) => Error,
): Record<string, string> {
  const values = Object.entries(env).map(([name, value]) => {
    if (typeof value === 'string') return [name, value]
    const secret = Object.hasOwn(secrets, value.secret) ? secrets[value.secret] : undefined
    if (secret === undefined) throw missing(value.secret)
    return [name, secret]
  })
  return Object.fromEntries(values)
}

/** They leave with their box. */
export async function removeSecrets(home: string, box: string): Promise<void> {
  await rm(fileOf(home, box), { force: true })
  await dropDraft(home, box)
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

async function syncDir(home: string): Promise<void> {
  const dir = await open(dirOf(home), 'r')
  await dir.sync().finally(() => dir.close())
}
