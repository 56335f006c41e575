// @timeout 120
import { existsSync, readdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ledger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsMount } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTmpfs } from '../support/tmpfs.ts'
import { all, create, open, rejection, remove, withHome } from './boxes.ts'
import { repair } from './repaired.ts'

const test = suite('archive, compact and repair on a full disk')

async function fill(ledger: Ledger, boxes: number): Promise<void> {
  await Promise.all(
    Array.from({ length: boxes }, async (_, n) => {
      await create(ledger, `box-${n}`, null)
      await remove(ledger, `box-${n}`)
    }),
  )
  await create(ledger, 'lives', 'living')
}

/** Takes all the room there is. */
async function fillUp(dir: string): Promise<void> {
  for (const size of [1 << 20, 1 << 16, 1 << 12])
    for (let n = 0; ; n += 1) {
      const path = join(dir, `filler-${size}-${n}`)
      try {
        await writeFile(path, Buffer.alloc(size, 1))
      } catch {
        await rm(path, { force: true })
        break
      }
    }
}

async function empty(dir: string): Promise<void> {
  for (const name of readdirSync(dir)) if (name.startsWith('filler')) await rm(join(dir, name))
}

needsMount(test, 'archiving and compacting fail whole, lose nothing, and go on once there is room', () =>
  withTmpfs(48, async ({ dir }) => {
    const home = join(dir, 'home')
    const ledger = await open(home)
    await fill(ledger, 1_500)
    const truth = await all(ledger.read())
    await eventually(() => existsSync(join(home, 'ledger', 'ballast')))
    await fillUp(dir)

    assert.is((await rejection(ledger.archive(Date.now() + 1))).code, 'NO_SPACE')
    assert.equal(readdirSync(join(home, 'archive')), [])
    assert.equal(await all(ledger.read()), truth)
    // It needs room for what it writes anew: none is there.
    assert.is((await rejection(ledger.compact())).code, 'NO_SPACE')
    await empty(dir)
    await eventually(() => ledger.failure === undefined, { what: 'writing to go on', timeoutMs: 30_000 })

    await ledger.archive(Date.now() + 1)
    const { before, after } = await ledger.compact()
    assert.ok(after < before, `${before} before, ${after} after`)
    assert.equal(await all(ledger.read()), truth)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
  }),
)

needsMount(test, 'a repair that finds no room leaves nothing behind', () =>
  withHome(home =>
    withTmpfs(2, async ({ dir }) => {
      const ledger = await open(home)
      await fill(ledger, 1_500)
      await ledger.close()
      const target = join(dir, 'new')
      assert.is((await rejection(repair(home, target))).code, 'NO_SPACE')
      assert.equal(readdirSync(dir), [])
    }),
  ),
)

test.run()
