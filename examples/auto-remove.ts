// A box that removes itself when it is down, whatever the cause: its files go, its history stays.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  for (const end of ['stop', 'crash'] as const) {
    const box = await runtime.create({ name: 'passing', autoRemove: true, memoryMib: 128 })
    await box.start()
    const files = join(home, 'boxes', box.id)
    console.log(`running: files on disk ${existsSync(files)}`)

    const { pid } = await box.info()
    if (end === 'stop') await box.stop()
    else if (pid !== undefined) process.kill(pid, 'SIGKILL')

    const gone = await box.waitFor('gone')
    console.log(`after a ${end}: ${gone.state}, ending ${gone.ending?.cause}`)
    console.log(`  exists ${await runtime.exists('passing')}, files on disk ${existsSync(files)}`)

    let records = 0
    for await (const _ of runtime.history(box.id)) records += 1
    console.log(`  its history by ID: ${records > 0 ? 'still there' : 'lost'}`)
  }
} finally {
  if (await runtime.exists('passing')) await runtime.remove('passing', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
