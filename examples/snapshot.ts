// A box that is saved while it runs, goes on from there after it was stopped, and is cloned. The guest is the test guest
// of this repository, which counts aloud.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Box, BoxRuntime } from 'boxledger'

const kernel = fileURLToPath(new URL('../../test/fixtures/test-guest/guest.elf', import.meta.url))
const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home })

/** The first numbers that a box says, once there are so many. */
async function counted(box: Box, many: number): Promise<number[]> {
  let text = ''
  for await (const bytes of box.console({ follow: true })) {
    text += Buffer.from(bytes).toString('latin1')
    const numbers = [...text.matchAll(/tick (\d+)\n/g)].map(([, number]) => Number(number))
    if (numbers.length >= many) return numbers
  }
  return []
}

try {
  const image = { kernel, cmdline: 'mode=tick' }
  const box = await runtime.create({ name: 'counter', memoryMib: 64, stopTimeoutMs: 100, image })
  await box.start()
  console.log(`counts from ${(await counted(box, 3))[0]}`)

  const { name } = await box.snapshots.create('counted-to-two')
  await box.stop()
  console.log(`saved as ${name}, and ${(await box.info()).state}`)

  await box.snapshots.restore('counted-to-two')
  const [first = 0] = await counted(box, 1)
  console.log(`goes on where it was: ${first > 1}`)

  const clone = await box.clone({ name: 'other', snapshot: 'counted-to-two' })
  console.log(`so does its clone, beside it: ${(await counted(clone, 1))[0] === first}`)
} finally {
  for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
