// Two processes, one home: one owns it, the other uses the same boxes through the owner's socket and sees what happens
// live. The owner is killed, another takes its place, and the stream goes on where it was.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const [home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-')), role] =
  process.argv.slice(2)

/** `boxledger serve` is the same: it opens the home and stays. */
async function owner(): Promise<void> {
  const runtime = await BoxRuntime.open({ home, onProgress: console.error })
  process.send?.('serving')
  await once(process, 'message')
  await runtime.close()
  process.disconnect()
}

async function newOwner(): Promise<ChildProcess> {
  const child = fork(process.argv[1] ?? '', [home, 'owner'])
  await Promise.race([once(child, 'message'), once(child, 'exit')])
  return child
}

async function client(): Promise<void> {
  let child = await newOwner()
  const runtime = await BoxRuntime.connect({ home })
  try {
    const box = await runtime.create({ name: 'shared', memoryMib: 128 })
    const versions: number[] = []
    const following = (async () => {
      for await (const { version, event } of box.events({ follow: true })) {
        versions.push(version)
        if (event.type === 'box.removed') return
      }
    })()
    await box.start()
    console.log(`started through the owner: ${(await box.info()).state}`)

    child.kill('SIGKILL')
    await once(child, 'exit')
    child = await newOwner()
    console.log(`the owner was killed; under the next one: ${(await box.info()).state}`)

    await box.remove({ force: true })
    await following
    console.log(`the stream went on without a gap: ${versions.every((version, n) => version === n + 1)}`)
  } finally {
    await runtime.close()
    if (child.connected) child.send('end')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
  }
}

await (role === 'owner' ? owner() : client())
