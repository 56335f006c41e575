// A box that comes back when it crashes, a little later each time, and stays down once its retries are used up. A stop
// that somebody asked for beats every policy.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  const box = await runtime.create({
    name: 'phoenix',
    memoryMib: 128,
    restart: { policy: 'on-failure', maxRetries: 2, backoff: { initialMs: 50, jitter: 0 } },
  })
  await box.start()
  for (const incarnation of [1, 2, 3]) {
    const up = await box.waitFor(
      info => info.state === 'running' && info.guestReady && info.incarnation === incarnation,
    )
    console.log(`incarnation ${incarnation} is up, restarts so far: ${up.restarts}`)
    if (up.pid !== undefined) process.kill(up.pid, 'SIGKILL')
    await box.waitFor(info => info.state !== 'running')
  }
  const end = await box.wait()
  console.log(`no retries left: ${end.state}, ending ${end.ending?.cause}`)

  const waits: number[] = []
  for await (const { event } of box.events({ types: ['restart.scheduled'] }))
    if (event.type === 'restart.scheduled') waits.push(event.delayMs)
  console.log(`waited before each: ${waits.join(' ms, ')} ms`)

  await box.start()
  await box.stop()
  const { state, restartAt } = await box.info()
  console.log(`after a stop: ${state}, to be restarted: ${restartAt !== undefined}`)
} finally {
  if (await runtime.exists('phoenix')) await runtime.remove('phoenix', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
