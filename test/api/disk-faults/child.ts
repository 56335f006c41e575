import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BoxError, BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from '../../support/vmms.ts'

/**
 * An owner whose disk fails now and then, without its knowing: `child.js HOME FIRST LAST PATIENCE`. Gives commands FIRST to
 * LAST, each until it is answered, under the same ID; says what was answered, and what went wrong before.
 */
const [home = '', first = '0', last = '0', patience = '30000'] = process.argv.slice(2)
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)
const image = smallGuest('idle')

/** Faults come to an end: whatever has not worked for so long never will. */
async function untilAnswered<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  const end = performance.now() + Number(patience)
  for (;;)
    try {
      return await attempt()
    } catch (error) {
      const code = BoxError.is(error) ? error.code : String(error)
      say({ failed: what, code })
      if (performance.now() > end || !BoxError.is(error) || error.code === 'LEDGER_CORRUPT') throw error
      await sleep(20)
    }
}

const runtime = await untilAnswered('open', () => BoxRuntime.open({ home, vmm: { binary: instantVmm } }))
say({ open: true })
const lanes = 4
await Promise.all(
  Array.from({ length: lanes }, async (_, lane) => {
    for (let n = Number(first) + lane; n <= Number(last); n += lanes) {
      const [create, rename, remove] = [`create-${n}`, `rename-${n}`, `remove-${n}`]
      const box = await untilAnswered(create, () =>
        runtime.create({ name: `name-${n}`, image }, { commandId: create }),
      )
      say({ answered: create, box: box.id })
      await untilAnswered(rename, () => runtime.rename(box.id, `renamed-${n}`, { commandId: rename }))
      say({ answered: rename, box: box.id })
      if (n % 3 > 0) continue
      await untilAnswered(remove, () => box.remove({ commandId: remove }))
      say({ answered: remove, box: box.id })
    }
  }),
)
await runtime.close()
say({ closed: true })
