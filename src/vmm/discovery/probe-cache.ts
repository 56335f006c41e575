import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isObject } from '../cloud-hypervisor/answer.ts'
import { readBootId } from '../host/identity.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Probes under way in this process, so that many starts at once probe once. */
const underWay = new Map<string, Promise<boolean>>()

/** Answers from the file of this boot, or probes and notes it: a machine's abilities change with its kernel. */
export async function remember(
  key: string,
  { env, home }: { readonly env: Env; readonly home: string },
  probe: () => Promise<boolean>,
): Promise<boolean> {
  const dir = cacheDir(env, home)
  const known = (await readProbes(dir))[key]
  if (known !== undefined) return known
  const id = `${dir}\0${key}`
  const running = underWay.get(id) ?? probe().finally(() => underWay.delete(id))
  underWay.set(id, running)
  const result = await running
  await note(dir, key, result)
  return result
}

function cacheDir({ XDG_CACHE_HOME: cache, HOME: user }: Env, home: string): string {
  if (cache?.startsWith('/')) return join(cache, 'boxledger')
  return user?.startsWith('/') ? join(user, '.cache', 'boxledger') : home
}

async function readProbes(dir: string): Promise<Record<string, boolean>> {
  try {
    const value: unknown = JSON.parse(await readFile(join(dir, 'probes.json'), 'utf8'))
    if (!isObject(value) || value.bootId !== readBootId() || !isObject(value.results)) return {}
    const entries = Object.entries(value.results)
    return Object.fromEntries(
      entries.filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'),
    )
  } catch {
    return {} // missing or damaged: it is only a cache
  }
}

async function note(dir: string, key: string, result: boolean): Promise<void> {
  const draft = join(dir, `probes.${process.pid}.draft`)
  try {
    const results = { ...(await readProbes(dir)), [key]: result }
    await mkdir(dir, { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify({ bootId: readBootId(), results }), { mode: 0o600 })
    await rename(draft, join(dir, 'probes.json'))
  } catch {
    await rm(draft, { force: true }) // a cache that cannot be written costs the next process a probe
  }
}
