// One box from beginning to end: created, started, stopped, started again, removed; and the ledger that knows of it all.
//
//     node dist/examples/hello.js          in a home of its own, removed at the end
//     BOXLEDGER_HOME=DIR node …            in yours: the guest is then made only once
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  const box = await runtime.create({ name: 'hello', memoryMib: 128 })
  console.log(`created: ${(await box.info()).state}`)

  await box.start()
  const { state, guestReady, incarnation } = await box.info()
  console.log(`started: ${state}, guest ready: ${guestReady}, incarnation ${incarnation}`)

  await box.stop()
  const stopped = await box.info()
  console.log(`stopped: ${stopped.state}, since it was ${stopped.ending?.cause}`)

  await box.start()
  console.log(`started again: incarnation ${(await box.info()).incarnation}`)

  await box.remove({ force: true })
  console.log('removed; its history stays:')
  const moves: string[] = []
  for await (const { from, to } of runtime.history(box.id)) if (from !== to) moves.push(to)
  console.log(`  ${moves.join(' → ')}`)
} finally {
  if (await runtime.exists('hello')) await runtime.remove('hello', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
