import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsMount } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
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

/** A write that the disk had no room for, at the end of a log that LevelDB goes on with: room comes, and it takes more. */
needsMount(
  test,
  'the 100 commits that LevelDB accepts and loses after a write that failed are not lost here',
  async () => {
    await withTmpfs(3, async disk => {
      const db = new Level<string, string>(join(disk.dir, 'db'))
      const put = (n: number) => db.put(`key-${n}`, 'x'.repeat(2_000), { sync: true })
      let written = 0
      const tookIt = () =>
        put(written).then(
          () => true,
          () => false,
        )
      while (await tookIt()) written += 1
      disk.resize(16)
      for (let n = 0; n < 100; n += 1) await put(written + n)
      await db.close()
      await db.open()
      const found = await db.keys().all()
      await db.close()
      assert.is(found.length, written, 'without a new opening, 100 synced writes are accepted and gone')
    })
    await withTmpfs(3, async disk => {
      const home = join(disk.dir, 'home')
      const ledger = await open(home)
      const acknowledged: string[] = []
      const createAll = async (prefix: string, count: number) => {
        const ids = Array.from({ length: count }, (_, n) => `${prefix}-${n}`)
        const outcomes = await Promise.allSettled(ids.map(id => create(ledger, id)))
        for (const [n, { status }] of outcomes.entries())
          if (status === 'fulfilled') acknowledged.push(ids[n] ?? '')
        return outcomes.find(outcome => outcome.status === 'rejected')?.reason as { code: string } | undefined
      }
      let failure: { code: string } | undefined
      for (let n = 0; failure === undefined; n += 1) failure = await createAll(`before-${n}`, 20)
      assert.is(failure.code, 'COMMIT_UNKNOWN')
      disk.resize(16)
      await eventually(() => ledger.failure === undefined, { what: 'writing to go on', timeoutMs: 20_000 })
      assert.is(await createAll('after', 100), undefined)
      await ledger.close()
      const again = await open(home)
      for (const box of acknowledged) assert.ok(again.head(box), box)
      assert.equal((await again.verify({ replay: true })).problems, [])
      await again.close()
      console.log(
        `writes after a full disk: 100 lost by LevelDB alone, 0 of ${acknowledged.length} by the ledger`,
      )
    })
  },
)

test.run()
