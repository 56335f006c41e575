import * as assert from 'uvu/assert'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { all, open, withHome } from './boxes.ts'
import { startOwner } from './owners.ts'

const test = suite('crash')

test('after SIGKILL at any moment everything acknowledged is there, and nothing is half', async () => {
  const random = makeRandom(takeSeed())
  await withHome(async home => {
    const acknowledged: { position: number; hash: string; id: string }[] = []
    for (let round = 1; round <= 6; round += 1) {
      await using owner = await startOwner(home, 'append')
      await owner.told(random.below(400))
      await owner.kill()
      // The last line may be cut off by the kill, and a line that is cut off was not told.
      for (const line of owner.lines) {
        const [position = '', hash = '', id = ''] = line.split(' ')
        if (id.length > 0) acknowledged.push({ position: Number(position), hash, id })
      }
      const ledger = await open(home)
      const records = await all(ledger.read())
      for (const { position, hash, id } of acknowledged) {
        const record = records[position - 1]
        assert.is(record?.hash, hash)
        assert.is(record?.box, id)
        assert.is(ledger.claimant(`name-${id}`), id)
        assert.equal(await ledger.command(`command-${id}`), { box: id, position })
      }
      assert.is(records.length, ledger.tail.position)
      assert.is([...ledger.heads()].length, records.length)
      assert.is(ledger.epoch, 2 * round)
      assert.equal(ledger.previous, { epoch: 2 * round - 1, bootId: 'boot-of-owner', closed: false })
      const report = await ledger.verify({ replay: true })
      assert.equal(report.problems, [])
      await ledger.close()
    }
    assert.ok(acknowledged.length > 0)
  })
})

test.run()
