import { readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BoxError } from 'boxledger/machines'
import { create, open } from './boxes.ts'

/**
 * One of two who race for a home: `racer.js HOME WITNESS`. Takes the home as often as it can, appends a little, lets go of
 * it, and tells what it was told as durable. Beside the lock it makes a file that only one can make: should another be
 * writing at the same time, it is found there.
 */
const [home = '', witness = ''] = process.argv.slice(2)
const say = (...words: (string | number)[]) => writeSync(1, `${words.join(' ')}\n`)

for (;;) {
  const ledger = await open(home, { engine: `racer/${process.pid}`, bootId: 'boot-of-race' }).catch(error => {
    if (!BoxError.is(error, 'ENGINE_LOCKED')) throw error
    return undefined
  })
  if (ledger === undefined) {
    say('refused')
    await sleep(1)
    continue
  }
  await takeWitness()
  say('took', ledger.epoch)
  const ids = Array.from({ length: 3 }, (_, n) => `box-${ledger.epoch}-${n}`)
  for (const { record } of await Promise.all(ids.map(id => create(ledger, id))))
    say('durable', record.position, record.hash, record.box)
  rmSync(witness)
  await ledger.close()
  say('left', ledger.epoch)
}

/** A writer that was killed leaves its file behind, and may be a moment in dying. */
async function takeWitness(): Promise<void> {
  for (let tries = 0; ; tries += 1)
    try {
      return writeFileSync(witness, String(process.pid), { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const other = Number(readFileSync(witness, 'utf8'))
      if (!isAlive(other)) rmSync(witness)
      else if (tries > 500) return void say('two', other)
      else await sleep(10)
    }
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '')
  } catch {
    return false
  }
}
