import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import { ClassicLevel } from 'classic-level'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withTempDir } from '../support/tmp.ts'

const test = suite('api: a parked box')

/** Changes one byte of every value whose key holds `part`. */
async function damage(home: string, part: string): Promise<void> {
  const db = new ClassicLevel<string, Buffer>(join(home, 'ledger'), { valueEncoding: 'buffer' })
  await db.open()
  for await (const [key, value] of db.iterator())
    if (key.includes(part)) {
      const changed = Buffer.from(value)
      changed.writeUInt8(changed.readUInt8(20) ^ 1, 20)
      await db.put(key, changed)
    }
  await db.close()
}

test('is listed with the reason and takes no commands; all other boxes go on', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home })
    const bad = await first.create({ name: 'bad' })
    const good = await first.create({ name: 'good' })
    await first.close()
    await damage(home, bad.id)

    await using second = await BoxRuntime.open({ home })
    const listed = await second.listInfo()
    assert.equal(listed.map(({ id }) => id).sort(), [bad.id, good.id].sort())
    const info = await second.getInfo(bad.id)
    assert.type(info?.parked?.reason, 'string')
    assert.ok(await second.exists(bad.id))
    const box = await second.get(bad.id)
    for (const work of [() => box?.start(), () => box?.wait(), () => box?.stop()]) {
      const error = await work()?.then(
        () => undefined,
        error => error,
      )
      assert.ok(BoxError.is(error, 'LEDGER_CORRUPT'), String(error))
    }
    assert.is((await second.getInfo('good'))?.parked, undefined)
    await second.rename('good', 'better')
    const report = await second.verify()
    assert.not.ok(report.ok)
    assert.equal(report.parked, [bad.id])
  }))

test.run()
