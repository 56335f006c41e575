// @timeout 120
import { join } from 'node:path'
import type { Box, RuntimeMetrics } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

const test = suite('api: metrics')

const counted = ({ created, removed, failed, crashed, restarts, boxes }: RuntimeMetrics) => ({
  ...{ created, removed, failed, crashed, restarts },
  boxes,
})

for (const way of ways)
  test(`count what has happened in the home, whoever owned it, ${way.name}`, () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const options = { home, vmm: { binary: instantVmm } }
      const image = smallGuest('idle')
      const expected = {
        ...{ created: 4, removed: 1, failed: 1, crashed: 2, restarts: 1 },
        boxes: { total: 3, byState: { failed: 1, crashed: 1, running: 1 } },
      }
      {
        await using opened = await way.open(options)
        const { runtime } = opened
        assert.equal(counted(await runtime.metrics()), {
          ...{ created: 0, removed: 0, failed: 0, crashed: 0, restarts: 0 },
          boxes: { total: 0, byState: {} },
        })
        const kill = async (box: Box) => process.kill((await box.info()).pid as number, 'SIGKILL')
        const broken = await runtime.create({ image: { kernel: join(dir, 'none') } })
        await broken.start().catch(() => {})
        const plain = await runtime.create({ image })
        await plain.start()
        await kill(plain)
        await plain.waitFor('down')
        const again = await runtime.create({ image, restart: { policy: 'always' } })
        await again.start()
        await kill(again)
        await again.waitFor(info => info.restarts === 1 && info.state === 'running')
        await (await runtime.create({ image })).remove()
        const metrics = await runtime.metrics()
        assert.equal(counted(metrics), expected)
        assert.is(metrics.position, metrics.ledger.records)
        assert.ok(metrics.ledger.bytes > 0)
      }
      await using opened = await way.open(options)
      const { runtime } = opened
      const [, box] = await Promise.all([runtime.metrics(), runtime.listInfo({ states: ['running'] })])
      const metrics = await runtime.metrics()
      assert.equal(counted(metrics), expected, 'by the next owner too')
      await runtime.remove(box[0]?.id as string, { force: true })
      const after = await runtime.metrics()
      assert.equal([after.removed, after.boxes.total], [2, 2], 'it goes on counting')
    }))

test.run()
