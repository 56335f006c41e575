import { create, open } from './boxes.ts'

/** A program that opens a home, tells so, and appends as fast as it can until it is killed, telling what is durable. */

const [home = '', mode = 'hold'] = process.argv.slice(2)
const ledger = await open(home, { bootId: 'boot-of-owner' }).catch((error: { code: string }) => {
  process.stdout.write(`${error.code}\n`)
  process.exit(1)
})
process.stdout.write('open\n')

async function appendForEver(lane: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = `box-${ledger.epoch}-${lane}-${n}`
    const { record } = await create(ledger, id, `name-${id}`, { commandId: `command-${id}` })
    process.stdout.write(`${record.position} ${record.hash} ${id}\n`)
  }
}

if (mode === 'append') await Promise.all(Array.from({ length: 20 }, (_, lane) => appendForEver(lane)))
else setInterval(() => {}, 1 << 30)
