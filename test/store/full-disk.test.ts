import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsMount } from '../support/requires.ts'
import { withTmpfs } from '../support/tmpfs.ts'
import { all, create, open, rejection } from './boxes.ts'

const test = suite('full disk')

needsMount(test, 'nothing acknowledged is lost, it can be reopened and read, and all goes on with room', () =>
  withTmpfs(24, async ({ dir: disk }) => {
    const home = join(disk, 'home')
    let ledger = await open(home)
    const acknowledged: string[] = []
    await create(ledger, 'first')
    acknowledged.push('first')
    // As somebody else would fill it: all but the ballast and a little.
    await writeFile(join(disk, 'filler'), Buffer.alloc(13 << 20, 1))
    let failed: { code: string } | undefined
    for (let n = 0; failed === undefined && n < 400; n += 1) {
      const ids = Array.from({ length: 100 }, (_, m) => `box-${n}-${m}`)
      const outcomes = await Promise.allSettled(ids.map(id => create(ledger, id)))
      for (const [m, outcome] of outcomes.entries()) {
        if (outcome.status === 'fulfilled') acknowledged.push(ids[m] ?? '')
        else failed ??= outcome.reason
      }
    }
    assert.is(failed?.code, 'COMMIT_UNKNOWN')
    await eventually(() => ledger.failure?.code === 'NO_SPACE', { what: 'a full disk to be told' })
    assert.is((await rejection(create(ledger, 'later'))).code, 'NO_SPACE')
    const read = async () => new Set((await all(ledger.read())).map(({ box }) => box))
    const boxes = await read()
    for (const id of acknowledged) assert.ok(boxes.has(id), id)
    await ledger.close()
    ledger = await open(home)
    assert.is((await read()).size, boxes.size)
    await rm(join(disk, 'filler'))
    await eventually(() => ledger.failure === undefined, { what: 'writing to go on', timeoutMs: 20_000 })
    await create(ledger, 'later').catch(() => create(ledger, 'later'))
    const report = await ledger.verify({ replay: true })
    assert.equal(report.problems, [])
    await ledger.close()
  }),
)

test.run()
