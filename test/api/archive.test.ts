import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { ways } from './ways.ts'

const test = suite('api: archive and compact')

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  return BoxError.is(error) ? `${error.code} ${error.details.field ?? ''}`.trim() : String(error)
}

for (const way of ways) {
  const options = (home: string) => ({ home, vmm: { binary: instantVmm } })

  test(`${way.name}: removed boxes move to files in the home, and are read and verified as before`, () =>
    withTempDir(async home => {
      await using opened = await way.open(options(home))
      const { runtime } = opened
      const gone = await runtime.create({ name: 'gone', labels: { a: 'b' } }, { commandId: 'make' })
      const lives = await runtime.create({ name: 'lives' })
      await gone.remove()
      const history = await all(runtime.history(gone.id))
      const events = await all(runtime.events())

      const early = await runtime.archive({ before: new Date(0) })
      assert.equal(early, { boxes: 0, records: 0, bytes: 0, segments: [], left: [] })
      const report = await runtime.archive({ before: new Date(Date.now() + 1_000) })
      assert.equal([report.boxes, report.records, report.segments.length], [1, history.length, 1])
      assert.ok(existsSync(join(home, report.segments[0]?.file ?? '')))
      const { before, after } = await runtime.compact()
      assert.ok(before > 0 && after > 0)

      assert.equal(await all(runtime.history(gone.id)), history)
      assert.equal(await all(runtime.events()), events)
      assert.equal(await all(runtime.events({ from: 2, box: gone.id })), history.slice(1))
      assert.is((await gone.info()).state, 'removed')
      assert.ok((await runtime.verify({ replay: true })).ok)
      // The command is still known: its answer is the box that it made.
      assert.is(
        (await runtime.create({ name: 'gone', labels: { a: 'b' } }, { commandId: 'make' })).id,
        gone.id,
      )

      rmSync(join(home, report.segments[0]?.file ?? ''))
      const verified = await runtime.verify()
      const problem = verified.problems.find(({ kind }) => kind === 'segment')
      assert.is(problem?.file, report.segments[0]?.file)
      assert.is(await codeOf(all(runtime.history(gone.id))), 'LEDGER_CORRUPT')
      assert.is((await all(lives.events())).length, 1)
    }))

  test(`${way.name}: what is no date is refused`, () =>
    withTempDir(async home => {
      await using opened = await way.open(options(home))
      const { runtime } = opened
      for (const before of ['2020-01-01', 0, null, undefined, new Date(Number.NaN), {}])
        assert.is(
          await codeOf(runtime.archive({ before: before as never })),
          'INVALID_ARGUMENT before',
          String(before),
        )
      assert.is(await codeOf(runtime.archive(undefined as never)), 'INVALID_ARGUMENT options')
      assert.is(
        await codeOf(runtime.archive({ before: new Date(), after: 1 } as never)),
        'INVALID_ARGUMENT after',
      )
      await runtime.close()
      assert.is(await codeOf(runtime.archive({ before: new Date() })), 'ENGINE_CLOSED')
      assert.is(await codeOf(runtime.compact()), 'ENGINE_CLOSED')
    }))
}

test.run()
