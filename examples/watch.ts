// Three ways to watch: a box's state as an Observable, all boxes' changes as one, and the ledger itself, from its first
// record on and then live, without gap or duplicate.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import { distinctUntilChanged, filter, firstValueFrom, map, takeWhile, toArray } from 'rxjs'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  const box = await runtime.create({ name: 'watched', memoryMib: 128 })

  // 1. One box: begins with the current state, completes when the box is removed.
  const states = firstValueFrom(
    box.state$.pipe(
      map(info => info.state),
      distinctUntilChanged(),
      toArray(),
    ),
  )
  // 2. All boxes, a value a transition; here the first that says that a guest is ready.
  const ready = firstValueFrom(runtime.changes$.pipe(filter(info => info.guestReady)))
  // 3. The ledger, from the record that made the box until the one that ends it.
  const { position } = await box.info()
  const versions = firstValueFrom(
    runtime.events$({ from: position, box: box.id, follow: true }).pipe(
      takeWhile(({ event }) => event.type !== 'box.removed', true),
      map(record => record.version),
      toArray(),
    ),
  )

  await box.start()
  console.log(`ready: ${(await ready).name}`)
  await box.stop()
  await box.remove()

  console.log(`states: ${(await states).join(' → ')}`)
  const gapless = (await versions).every((version, n) => version === n + 1)
  console.log(`records: every version once and in order: ${gapless}`)
} finally {
  if (await runtime.exists('watched')) await runtime.remove('watched', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
