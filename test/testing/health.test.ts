// @timeout 60
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { inWorld } from './in-world.ts'

const test = suite('testing: health in a world of its own')

test('a VMM that falls silent makes its box unhealthy, and nothing more; a crash of the engine changes nothing', () =>
  inWorld(
    { script: () => ({ fates: [{ afterMs: 60_000, does: 'silence', forMs: 20_000 }] }) },
    async world => {
      const health = { command: 'ping', intervalMs: 2_000, retries: 3 } as const
      const { id } = await world.runtime.create({ health, restart: { policy: 'always' } })
      const healthNow = async () => (await world.runtime.getInfo(id))?.health
      await world.until((await world.runtime.get(id))?.start() ?? Promise.reject())
      await world.advance(10_000)
      assert.is(await healthNow(), 'healthy')
      world.crash()
      await world.reopen()
      await world.advance(45_000)
      assert.is(await healthNow(), 'healthy')
      await world.advance(15_000)
      assert.is(await healthNow(), 'unhealthy')
      await world.advance(30_000)
      assert.is(await healthNow(), 'healthy')
      const changes: unknown[] = []
      for await (const { event } of world.runtime.events({ types: ['health.changed'] }))
        if (event.type === 'health.changed') changes.push(event.health)
      assert.equal(changes, ['healthy', 'unhealthy', 'healthy'])
      const { incarnation, restarts } = (await world.runtime.getInfo(id)) ?? {}
      assert.equal([incarnation, restarts], [1, 0])
    },
  ))

test.run()
