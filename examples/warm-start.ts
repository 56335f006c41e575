// A template of the built-in guest: it boots once, and is saved; boxes then begin with that, each as a machine of its own.
// What a start began with is in the box's records.
//
//     node dist/examples/warm-start.js           in a home of its own, removed at the end
//     BOXLEDGER_HOME=DIR node …                  in yours: the guest, and its template, are then made only once
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Box, BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home })

/** Starts a new box, and tells how its VM came to be. */
async function start(name: string): Promise<Box> {
  const box = await runtime.create({ name, memoryMib: 128 })
  await box.start()
  for await (const { event } of box.events({ types: ['vm.booted', 'snapshot.restored'] }))
    console.log(`${name}: ${event.type === 'vm.booted' ? 'booted' : 'begun with the template'}`)
  return box
}

try {
  await start('cold')
  const made = await runtime.images.template('builtin', { memoryMib: 128 })
  console.log(`made a template for ${made.cpus} CPU and ${made.memoryMib} MiB`)
  const boxes = [await start('warm'), await start('other')]
  for (const box of boxes) console.log(`${box.name}: ready ${(await box.info()).guestReady}`)
  const [image] = await runtime.images.list()
  console.log(`${image?.name}: fits ${image?.templates?.map(({ fits }) => fits)}`)
} finally {
  for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
