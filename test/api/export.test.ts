// @timeout 120
import { join } from 'node:path'
import { BoxError, BoxRuntime, type OpenOptions } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { damage } from './damage.ts'
import { ways } from './ways.ts'

const vmm = { binary: instantVmm }
const image = smallGuest('idle')

async function errorOf(work: Promise<unknown>): Promise<BoxError> {
  const error = await work.then(
    () => undefined,
    reason => reason as unknown,
  )
  assert.ok(BoxError.is(error), String(error))
  return error
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

/** A home with a box that is up, one that was, one that is gone; its owner has closed it, and none of them runs. */
async function makeHome(home: string): Promise<{ web: string; gone: string }> {
  await using runtime = await BoxRuntime.open({ home, vmm })
  const web = await runtime.create({ name: 'web', image, labels: { tier: 'front' } }, { commandId: 'made' })
  await web.start()
  await web.stop({ mode: 'kill' })
  await runtime.rename('web', 'www')
  const gone = await runtime.create({ name: 'gone', image })
  await gone.start()
  await gone.remove({ force: true })
  return { web: web.id, gone: gone.id }
}

for (const way of ways) {
  const test = suite(`api: export and import, ${way.name}`)
  const inHome = async (home: string, work: (runtime: BoxRuntime) => Promise<void>, o: OpenOptions = {}) => {
    await using opened = await way.open({ home, vmm, ...o })
    await work(opened.runtime)
  }

  test('an export imports to history that is the same, and lives once it is adopted', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const { web, gone } = await makeHome(home)
      let lines: string[] = []
      let records: unknown[] = []
      await inHome(home, async runtime => {
        lines = await all(runtime.exportLedger())
        records = await all(runtime.events())
      })
      await inHome(join(dir, 'new'), async runtime => {
        const seen: number[] = []
        const following = new AbortController()
        const follow = (async () => {
          for await (const { position } of runtime.events({ follow: true, signal: following.signal })) {
            seen.push(position)
            if (position === records.length) return
          }
        })()
        const report = await runtime.importLedger(each(lines))
        assert.equal([report.records, report.boxes, report.parked], [records.length, 2, []])
        await follow
        assert.equal(
          seen,
          records.map((_, n) => n + 1),
          'who follows gets all of it',
        )
        assert.equal(await all(runtime.events()), records)
        assert.equal(await all(runtime.exportLedger()), lines)
        const info = await runtime.getInfo('www')
        assert.equal(
          [info?.id, info?.state, info?.inert, info?.labels],
          [web, 'stopped', true, { tier: 'front' }],
        )
        assert.is((await all(runtime.history(gone))).at(-1)?.to, 'removed')
        assert.is((await errorOf(runtime.create({ name: 'more' }))).code, 'INVALID_STATE')
        assert.is((await errorOf(runtime.importLedger(each(lines)))).code, 'INVALID_STATE')
        assert.ok((await runtime.verify({ replay: true })).ok)
        assert.is((await runtime.metrics()).created, 2)

        await runtime.adopt()
        await runtime.create({ name: 'web', image }, { commandId: 'made' })
        assert.equal((await runtime.listInfo()).length, 1, 'a command that was done is not done again')
        const box = await runtime.get('www')
        await box?.start()
        assert.is((await box?.info())?.state, 'running')
        await box?.remove({ force: true })
        assert.ok((await runtime.verify({ replay: true })).ok)
      })
      await inHome(join(dir, 'new'), async runtime => {
        assert.ok((await runtime.verify({ replay: true })).ok)
        assert.equal((await all(runtime.exportLedger())).slice(1, lines.length - 1), lines.slice(1, -1))
      })
    }))

  test('one box goes alone, also a removed one', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const { web, gone } = await makeHome(home)
      for (const [box, name] of [
        ['www', web],
        [gone, gone],
      ] as const) {
        let lines: string[] = []
        let history: unknown[] = []
        await inHome(home, async runtime => {
          lines = await all(runtime.exportLedger({ box }))
          history = await all(runtime.history(box))
        })
        await inHome(join(dir, name), async runtime => {
          const report = await runtime.importLedger(each(lines))
          assert.equal([report.box, report.boxes], [name, 1])
          assert.equal(await all(runtime.history(name)), history)
          assert.equal(await all(runtime.exportLedger({ box: name })), lines)
          assert.ok((await runtime.verify({ replay: true })).ok)
        })
      }
    }))

  test('what is wrong is told, and leaves nothing', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const { web } = await makeHome(home)
      let lines: string[] = []
      await inHome(home, async runtime => {
        lines = await all(runtime.exportLedger())
        assert.is((await errorOf(all(runtime.exportLedger({ box: 'nobody' })))).code, 'NOT_FOUND')
        for (const wrong of [{ box: 1 }, { bax: 'x' }, null])
          assert.is((await errorOf(all(runtime.exportLedger(wrong as never)))).code, 'INVALID_ARGUMENT')
      })
      await inHome(join(dir, 'new'), async runtime => {
        const changed = [...lines]
        changed[2] = (lines[2] as string).replace('"www"', '"wwx"').replace('"web"', '"wex"')
        const { code, details } = await errorOf(runtime.importLedger(each(changed)))
        assert.equal([code, details.line, details.position, details.box], ['LEDGER_CORRUPT', 3, 1, web])
        assert.is((await errorOf(runtime.importLedger(each(lines.slice(0, -1))))).details.line, lines.length)
        const newer = [JSON.stringify({ ...JSON.parse(lines[0] as string), format: 99 }), ...lines.slice(1)]
        assert.is((await errorOf(runtime.importLedger(each(newer)))).code, 'FORMAT_UNSUPPORTED')
        for (const wrong of [undefined, null, lines, 'text', {}])
          assert.is((await errorOf(runtime.importLedger(wrong as never))).code, 'INVALID_ARGUMENT')
        assert.is((await errorOf(runtime.importLedger(each([1, 2] as never)))).code, 'INVALID_ARGUMENT')
        async function* failing() {
          yield* lines.slice(0, 5)
          throw new RangeError('the file is gone')
        }
        const reason = await runtime.importLedger(failing()).catch((error: unknown) => error)
        assert.ok(reason instanceof Error && /the file is gone/.test(reason.message), String(reason))
        assert.equal(await all(runtime.events()), [])
        const box = await runtime.create({ name: 'first', image })
        assert.equal((await all(runtime.events({ box: box.id }))).length, 1, 'the home is as it was')
      })
    }))

  test('a damaged ledger is not exported', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const { web } = await makeHome(home)
      await damage(home, `b/${web}/00000000000002/`)
      await inHome(home, async runtime => {
        for (const o of [{}, { box: web }]) {
          const { code, details } = await errorOf(all(runtime.exportLedger(o)))
          assert.is(code, 'LEDGER_CORRUPT')
          assert.is(details.position, 2)
        }
      })
    }))

  test.run()
}

const test = suite('api: exports over the socket')

test('an export goes on at the next owner where it was', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    let owner = await BoxRuntime.open({ home, vmm, durability: 'process' })
    const { id } = await owner.create({ name: 'it', image })
    for (let n = 0; n < 12_000; n += 1_000)
      await Promise.all(Array.from({ length: 1_000 }, (_, m) => owner.rename(id, `it-${n + m}`)))
    const expected = await all(owner.exportLedger())
    await using client = await BoxRuntime.connect({ home })
    const lines: string[] = []
    for await (const line of client.exportLedger()) {
      lines.push(line)
      if (lines.length !== 100) continue
      await owner.close()
      owner = await BoxRuntime.open({ home, vmm })
      await owner.create({ name: 'later', image })
    }
    await owner.close()
    assert.equal(lines, expected)
  }))

test('an owner that closes under an import has imported nothing', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await makeHome(home)
    const source = await BoxRuntime.open({ home, vmm })
    const lines = await all(source.exportLedger())
    await source.close()
    const target = join(dir, 'target')
    const owner = await BoxRuntime.open({ home: target, vmm })
    await using client = await BoxRuntime.connect({ home: target })
    async function* slowly() {
      yield* lines.slice(0, 3)
      await owner.close()
      yield* lines.slice(3)
    }
    assert.is((await errorOf(client.importLedger(slowly()))).code, 'NO_OWNER')
    await using next = await BoxRuntime.open({ home: target, vmm })
    assert.equal(await all(next.events()), [])
    await next.importLedger(each(lines))
    assert.equal(await all(next.exportLedger()), lines)
  }))

test.run()
