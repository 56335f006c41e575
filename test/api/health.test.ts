// @timeout 120
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BoxError } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { agentBox, inABox } from './exec/in-a-box.ts'
import { ways } from './ways.ts'

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

for (const way of ways) {
  const test = suite(`api: health, ${way.name}`)

  test('a command in the guest, with the environment of the box, and without a record of it', () =>
    inABox(way, async ({ home, runtime }) => {
      const flag = join(dirname(home), 'flag')
      writeFileSync(flag, '')
      const script = 'test "$A$TOKEN" = bplanted && test -e "$0"'
      const box = await runtime.create({
        ...agentBox,
        env: { A: 'b', TOKEN: { secret: 'token' } },
        secrets: { token: 'planted' },
        health: { command: ['sh', '-c', script, flag], intervalMs: 100, retries: 2 },
      })
      assert.equal((await box.info()).spec.health, {
        command: ['sh', '-c', script, flag],
        intervalMs: 100,
        timeoutMs: 10_000,
        retries: 2,
        startPeriodMs: 0,
      })
      await box.start()
      await box.waitFor(info => info.health === 'healthy', { timeoutMs: 20_000 })
      rmSync(flag)
      await box.waitFor(info => info.health === 'unhealthy', { timeoutMs: 20_000 })
      const { executions, state } = await box.info()
      assert.equal([executions, state], [0, 'running'])
      const reasons: unknown[] = []
      for await (const { event } of box.events({ types: ['health.changed'] }))
        if (event.type === 'health.changed') reasons.push(event.reason)
      assert.equal(reasons, [undefined, 'exit code 1'])
      await box.stop({ mode: 'kill' })
      assert.is((await box.info()).health, undefined)
    }))

  test('a command that hangs is killed, with what it has started', () =>
    inABox(way, async ({ home, runtime }) => {
      const pids = join(dirname(home), 'pids')
      const script = 'echo $$ >> "$0"; sleep 1000 & echo $! >> "$0"; wait'
      const box = await runtime.create({
        ...agentBox,
        health: { command: ['sh', '-c', script, pids], intervalMs: 86_400_000, timeoutMs: 2_000, retries: 1 },
      })
      await box.start()
      await box.waitFor(info => info.health === 'unhealthy', { timeoutMs: 20_000 })
      const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
      assert.is(started.length, 2)
      await eventually(() => !started.some(isAlive), { what: 'the end of the command' })
      await box.stop({ mode: 'kill' })
    }))

  test('a VMM that is asked itself', () =>
    inABox(way, async ({ runtime }) => {
      const { agent: _, ...image } = agentBox.image as { kernel: string; agent: boolean }
      const box = await runtime.create({ image, health: { command: 'ping' } })
      await box.start()
      await box.waitFor(info => info.health === 'healthy', { timeoutMs: 20_000 })
      await box.remove({ force: true })
    }))

  test('what makes no sense is refused, and names its field', () =>
    inABox(way, async ({ runtime }) => {
      const good = { command: 'ping' }
      const bad: readonly [unknown, string][] = [
        [null, 'health'],
        ['ping', 'health'],
        [{}, 'health.command'],
        [{ command: 'true' }, 'health.command'],
        [{ command: [] }, 'health.command'],
        [{ command: ['a\0b'] }, 'health.command.0'],
        [{ ...good, intervalMs: 99 }, 'health.intervalMs'],
        [{ ...good, timeoutMs: 0 }, 'health.timeoutMs'],
        [{ ...good, retries: 0 }, 'health.retries'],
        [{ ...good, startPeriodMs: -1 }, 'health.startPeriodMs'],
        [{ ...good, unknown: 1 }, 'health.unknown'],
        // There is nobody in its guest who could run it.
        [{ command: ['true'] }, 'health.command'],
      ]
      for (const [health, field] of bad) {
        const error = await runtime.create({ image: { kernel: '/k' }, health: health as never }).then(
          () => undefined,
          error => error,
        )
        assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), JSON.stringify(health))
        assert.is(error.details.field, field, JSON.stringify(health))
      }
    }))

  test.run()
}
