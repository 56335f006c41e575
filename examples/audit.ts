// What happened to this box? A VMM is killed, a restart policy brings the box back, and the ledger is asked: how it was
// then, what led to what, what it would take now, and what would have come of something else.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  const restart = { policy: 'on-failure', backoff: { initialMs: 20 } } as const
  const box = await runtime.create({ name: 'web', memoryMib: 128, restart })
  await box.start()
  const { pid, version } = await box.info()
  process.kill(pid as number, 'SIGKILL')
  await box.waitFor(info => info.incarnation === 2 && info.guestReady)

  const before = await runtime.stateAt(box.id, { version })
  const after = await runtime.stateAt(box.id, { version: version + 1 })
  console.log(`then: ${before.state}, and after the next record: ${after.state}, ${after.ending?.cause}`)

  const differences = await runtime.diff(box.id, version, version + 1)
  console.log(`what changed: ${differences.map(({ path }) => path.join('.')).join(', ')}`)

  const { position } = await box.info()
  const causes = await runtime.why(position)
  console.log(`why it runs: ${causes.map(({ event }) => event.type).join(' → ')}`)

  const { accepts } = await runtime.explain('web')
  console.log(`would take a pause: ${accepts.includes('pause.requested')}`)

  const { steps, to } = await runtime.fork(box.id, { version }, [
    { type: 'stop.requested', mode: 'kill' },
    { type: 'vmm.exited', incarnation: 1, spawned: true, signal: 'SIGKILL', last: 'none', noShutdown: true },
  ])
  const effects = steps.flatMap(step => step.effects.map(({ type }) => type))
  console.log(`had it been stopped just before: ${to.state}, by ${effects.join(', ')}`)
  console.log(`and really: ${(await box.info()).state}, restarted ${(await box.info()).restarts} time`)
} finally {
  if (await runtime.exists('web')) await runtime.remove('web', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
