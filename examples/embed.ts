// An application that reacts to boxes instead of asking them: it keeps a pool of workers, replaces one that is lost, and
// never polls. All it knows comes out of `changes$`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BoxInfo, BoxRuntime } from 'boxledger'
import { filter, firstValueFrom, mergeMap, scan, share, shareReplay, tap } from 'rxjs'

const size = 2
const labels = { pool: 'workers' }
const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })

const addWorker = async () => {
  const box = await runtime.create({ labels, memoryMib: 128, autoRemove: true })
  await box.start()
}

/** What happens in the pool, and nothing else. */
const changes$ = runtime.changes$.pipe(
  filter(info => info.labels.pool === labels.pool),
  share(),
)
/** IDs of the workers that are ready, the latest first of all. */
const ready$ = changes$.pipe(
  scan((ready, { id, state, guestReady }: BoxInfo) => {
    const others = [...ready].filter(each => each !== id)
    return new Set(state === 'running' && guestReady ? [...others, id] : others)
  }, new Set<string>()),
  shareReplay(1),
)
const fullWithout = (lost?: string) =>
  firstValueFrom(ready$.pipe(filter(ready => ready.size === size && !ready.has(lost ?? ''))))

const replacing = changes$
  .pipe(
    filter(({ state, ending }) => state === 'removed' && ending?.cause === 'crash'),
    tap(({ ending }) => console.log(`a worker was lost (${ending?.cause}): another takes its place`)),
    mergeMap(addWorker),
  )
  .subscribe()
try {
  const filled = fullWithout()
  await Promise.all(Array.from({ length: size }, addWorker))
  console.log(`the pool is full: ${(await filled).size} workers`)

  const [victim] = await runtime.listInfo({ labels, states: ['running'] })
  const lost = victim && (await runtime.get(victim.id))
  if (victim?.pid !== undefined) process.kill(victim.pid, 'SIGKILL')
  await lost?.waitFor('gone')
  console.log(`the pool is full again: ${(await fullWithout(lost?.id)).size} workers`)
} finally {
  replacing.unsubscribe()
  for (const { id } of await runtime.listInfo({ labels })) await runtime.remove(id, { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
