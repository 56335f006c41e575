// The engine is killed in the middle of things; the guest runs on, and the next engine finds it. Then the VMM is killed
// while nobody looks, and the next engine says so.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const [home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-')), role] =
  process.argv.slice(2)

/** An engine of its own, in a process of its own: starts the box, tells its pid, and waits to be killed. */
async function engine(): Promise<void> {
  const runtime = await BoxRuntime.open({ home, onProgress: console.error })
  const box = await runtime.create({ name: 'survivor', memoryMib: 128 })
  await box.start()
  process.send?.((await box.info()).pid)
}

async function story(): Promise<void> {
  const child = fork(process.argv[1] ?? '', [home, 'engine'])
  const [pid] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [undefined])])
  if (typeof pid !== 'number') throw new Error('The engine could not start the box')
  child.kill('SIGKILL')
  await once(child, 'exit')
  console.log('the engine was killed')

  let runtime = await BoxRuntime.open({ home })
  try {
    const box = await runtime.get('survivor')
    const found = await box?.waitFor(info => !info.recovering)
    console.log(`the next engine: ${found?.state}, the same process: ${found?.pid === pid}`)
    const { ok } = await runtime.verify({ replay: true })
    console.log(`its history, folded anew: ${ok ? 'sound' : 'damaged'}`)

    await runtime.close()
    process.kill(pid, 'SIGKILL')
    console.log('the VMM was killed while nobody had the home open')

    runtime = await BoxRuntime.open({ home })
    const dead = await (await runtime.get('survivor'))?.wait()
    console.log(`the engine after that: ${dead?.state}, ending ${dead?.ending?.cause}`)
  } finally {
    await runtime.close()
    runtime = await BoxRuntime.open({ home })
    await runtime.remove('survivor', { force: true })
    await runtime.close()
    if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
  }
}

await (role === 'engine' ? engine() : story())
