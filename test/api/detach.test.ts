// @timeout 60
import { BoxError, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { join } from '../../src/api/socket/join.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { inABox } from './exec/in-a-box.ts'
import { ways } from './ways.ts'

async function nextEnd(runtime: BoxRuntime): Promise<LedgerRecord> {
  for await (const record of runtime.events({ types: ['exec.ended', 'exec.lost'], follow: true }))
    return record
  throw new Error('The runtime was closed')
}

for (const way of ways) {
  const test = suite(`api: commands that are left, ${way.name}`)

  test('it goes on without its caller, whatever it puts out, and its end is recorded', () =>
    inABox(way, async ({ box, runtime }) => {
      const abort = new AbortController()
      // More than all that could wait somewhere between it and its caller.
      const script = 'echo up; read go; head -c 3000000 /dev/zero; exit 7'
      const left = box.exec('sh', ['-c', script], { signal: abort.signal })
      const output = left.stdout[Symbol.asyncIterator]()
      const { value } = await output.next()
      assert.is(Buffer.from(value as Uint8Array).toString(), 'up\n')
      const rest = output.next()
      const end = left.wait()
      left.stdin.write('go\n')
      await left.detach()
      for (const ended of [end, left.wait()]) {
        const error = await ended.catch((error: unknown) => error)
        assert.ok(BoxError.is(error, 'ABORTED'))
        assert.equal(error.details, { execution: left.id, detached: true })
      }
      for (let found = await rest; !found.done; found = await output.next());
      abort.abort()
      const record = await nextEnd(runtime)
      assert.is(record.execution, left.id)
      assert.equal([record.event.type === 'exec.ended' && record.event.exitCode], [7])
      assert.is((await box.exec('true')).exitCode, 0)
    }))

  test('its time limit holds, its input stays open, one that has ended cannot be left', () =>
    inABox(way, async ({ box, runtime }) => {
      const limited = box.exec('cat', [], { timeoutMs: 300 })
      await limited.detach()
      const { event } = await nextEnd(runtime)
      assert.is(event.type === 'exec.ended' && event.reason, 'timed-out')
      const over = box.exec('true')
      assert.is((await over.wait()).exitCode, 0)
      await over.detach()
      assert.is((await over.wait()).exitCode, 0)
    }))

  test.run()
}

const test = suite('api: who owns a home that was joined')

test('this process, or another', () =>
  withTempDir(async home => {
    {
      await using own = await join({ home })
      assert.is(own.owns(), true)
      await using served = await join({ home })
      assert.is(served.owns(), false)
    }
    await using again = await BoxRuntime.open({ home })
    assert.equal(await again.listInfo(), [])
  }))

test.run()
