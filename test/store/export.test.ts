import { cpSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { decodeLine, encodeLine } from '../../src/store/export/line.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { all, create, open, rejection, remove, submit, withDatabase } from './boxes.ts'
import { run } from './execution-records.ts'
import { repair, truthOf } from './repaired.ts'
import { each, importInto, linesOf, randomHistory } from './transfer.ts'

const test = suite('store: export and import')
const seed = takeSeed()

/** A home with a history, closed again, and what an export of it says. */
async function exported(home: string, steps: number, salt = 0) {
  const random = makeRandom(seed + salt)
  const ledger = await open(home)
  try {
    const boxes = await randomHistory(ledger, random, steps)
    return { boxes, lines: await linesOf(ledger), truth: await truthOf(ledger), tail: ledger.tail }
  } finally {
    await ledger.close()
  }
}

test('an export imports to the same records, heads, names and commands, and exports to the same bytes', () =>
  withTempDir(async dir => {
    for (let salt = 0; salt < 3; salt += 1) {
      const { lines, truth, tail } = await exported(join(dir, `from${salt}`), 60, salt)
      const { ledger, report } = await importInto(join(dir, `to${salt}`), lines)
      assert.is(report.records, truth.records.length)
      assert.equal([report.position, report.hash], [tail.position, tail.hash])
      assert.equal([ledger.tail.position, ledger.tail.hash], [tail.position, tail.hash])
      const found = await truthOf(ledger)
      assert.equal(found.records, truth.records)
      assert.equal(found.heads, truth.heads)
      assert.equal(found.names, truth.names)
      for (const { meta, box, position, execution } of truth.records)
        if (meta.commandId && execution === undefined)
          assert.equal(await ledger.command(meta.commandId), { box, position })
      assert.ok(ledger.isInert)
      assert.equal((await ledger.verify({ replay: true })).problems, [])
      assert.equal(await linesOf(ledger), lines)
      await ledger.close()

      const again = await open(join(dir, `to${salt}`))
      assert.equal([again.isInert, again.tail.hash, again.epoch], [true, tail.hash, 3])
      assert.equal((await again.verify({ replay: true })).problems, [])
      assert.equal(await linesOf(again), lines)
      await again.adopt()
      await create(again, 'another00000', 'another')
      assert.equal((await again.verify({ replay: true })).problems, [], 'it goes on')
      await again.close()
    }
  }))

test('one box alone keeps its records, at their positions, and its executions', () =>
  withTempDir(async dir => {
    const from = join(dir, 'from')
    const { boxes, truth } = await exported(from, 80, 10)
    for (const [n, box] of boxes.entries()) {
      const ledger = await open(from)
      const lines = await linesOf(ledger, { box })
      await ledger.close()
      const { ledger: alone, report } = await importInto(join(dir, `to${n}`), lines)
      assert.equal([report.box, report.boxes], [box, 1])
      const expected = truth.records.filter(record => record.box === box)
      assert.equal(await all(alone.read()), expected)
      assert.equal(await all(alone.read({ box })), expected)
      assert.equal(await all(alone.history(box)), truth.histories.get(box))
      assert.equal(alone.head(box) ?? (await alone.removedHead(box)), truth.heads.get(box))
      for (const replay of [true, false]) assert.equal((await alone.verify({ replay })).problems, [])
      assert.equal((await alone.verify({ box, replay: true })).problems, [])
      assert.equal(await linesOf(alone, { box }), lines)
      const whole = await linesOf(alone)
      assert.equal(whole.slice(1), lines.slice(1), 'only the first line says that it is all there is')
      await alone.close()
      const { ledger: again } = await importInto(join(dir, `again${n}`), whole)
      assert.equal(await linesOf(again, { box }), lines)
      await again.adopt()
      await create(again, 'another00000')
      assert.equal((await again.verify({ replay: true })).problems, [])
      await again.close()
    }
  }))

test('a changed byte anywhere is found, and its line is named', () =>
  withTempDir(async dir => {
    const { lines, boxes } = await exported(join(dir, 'from'), 14, 20)
    const source = await open(join(dir, 'from'))
    const one = await linesOf(source, { box: boxes[0] as string })
    await source.close()
    const random = makeRandom(seed)
    for (const given of [lines, one]) {
      const ledger = await open(join(dir, given === one ? 'one' : 'all'), { durability: 'process' })
      for (const [n, line] of given.entries())
        for (let round = 0; round < 3; round += 1) {
          const at = random.below(line.length)
          const code = line.charCodeAt(at)
          // A surrogate changed to a half of none would be no text.
          if (code > 127) continue
          const flipped = String.fromCharCode(code ^ (1 << random.below(7)))
          const changed = [...given]
          changed[n] = line.slice(0, at) + flipped + line.slice(at + 1)
          const what = `seed ${seed}, line ${n + 1}, character ${at}: ${changed[n]?.slice(Math.max(0, at - 20), at + 20)}`
          const { code: found, details } = await rejection(ledger.import(each(changed)))
          if (n === 0 && found === 'FORMAT_UNSUPPORTED') continue
          assert.is(found, 'LEDGER_CORRUPT', what)
          assert.is(details.line, n + 1, what)
          const [, position] = /^\{"position":(\d+),/.exec(line) ?? []
          const [, box] = /"box":"(\w+)/.exec(line) ?? []
          if (position !== undefined) assert.is(details.position, Number(position), what)
          if (position !== undefined || line.startsWith('{"box":')) assert.is(details.box, box, what)
        }
      assert.is(ledger.tail.position, 0)
      assert.equal((await ledger.verify()).problems, [])
      await ledger.import(each(given))
      assert.equal((await ledger.verify({ replay: true })).problems, [], 'what failed has left nothing')
      await ledger.close()
    }
  }))

test('a cut, a missing line, one twice and two in the wrong order are found', () =>
  withTempDir(async dir => {
    const { lines, boxes } = await exported(join(dir, 'from'), 14, 30)
    const source = await open(join(dir, 'from'))
    const one = await linesOf(source, { box: boxes[0] as string })
    await source.close()
    const ledger = await open(join(dir, 'to'), { durability: 'process' })
    const refused = async (given: readonly string[], line: readonly number[], what: string) => {
      const { code, details } = await rejection(ledger.import(each(given)))
      assert.is(code, 'LEDGER_CORRUPT', what)
      assert.ok(line.includes(Number(details.line)), `${what}: line ${details.line}`)
    }
    for (const given of [lines, one])
      for (const [n, line] of given.entries()) {
        const here = n + 1
        await refused(given.slice(0, n), [here], `cut before line ${here}`)
        await refused([...given.slice(0, n), line.slice(0, -1)], [here, here + 1], `cut in line ${here}`)
        await refused([...given.slice(0, n), ...given.slice(n + 1)], [here], `without line ${here}`)
        await refused([...given.slice(0, n + 1), ...given.slice(n)], [here + 1], `line ${here} twice`)
        if (n === given.length - 1) continue
        const turned = [...given.slice(0, n), given[n + 1] as string, line, ...given.slice(n + 2)]
        await refused(turned, [here, here + 1], `lines ${here} and ${here + 1} turned`)
      }
    await refused([], [1], 'nothing')
    await refused([...lines, ...lines], [lines.length + 1], 'twice')
    await ledger.import(each([...lines.map(line => `${line}\n`), '']))
    assert.equal(await linesOf(ledger), lines)
    await ledger.close()
  }))

test('only an empty home takes an import, one at a time', () =>
  withTempDir(async dir => {
    const { lines } = await exported(join(dir, 'from'), 20, 40)
    const ledger = await open(join(dir, 'to'))
    let go = () => {}
    const held = new Promise<void>(resolve => {
      go = resolve
    })
    async function* slowly() {
      yield lines[0] as string
      await held
      yield* lines.slice(1)
    }
    const first = ledger.import(slowly())
    assert.is((await rejection(ledger.import(each(lines)))).code, 'INVALID_STATE')
    assert.is((await rejection(create(ledger, 'another00000'))).code, 'INVALID_STATE')
    go()
    await first
    assert.is((await rejection(ledger.import(each(lines)))).code, 'INVALID_STATE')
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
    const other = await open(join(dir, 'other'))
    await create(other, 'another00000')
    assert.is((await rejection(other.import(each(lines)))).code, 'INVALID_STATE')
    await other.close()
  }))

test('a ledger that closes under an import, or whose source fails, is as empty as it was', () =>
  withTempDir(async dir => {
    const home = join(dir, 'to')
    const { lines } = await exported(join(dir, 'from'), 20, 50)
    const first = await open(home)
    async function* never() {
      yield* lines.slice(0, 9)
      await new Promise(() => {})
    }
    const importing = rejection(first.import(never()))
    await first.close()
    assert.is((await importing).code, 'ENGINE_CLOSED')
    const second = await open(home)
    async function* failing() {
      yield* lines.slice(0, 9)
      throw new TypeError('no more')
    }
    await rejection(second.import(failing()))
    assert.is(second.tail.position, 0)
    await second.import(each(lines))
    assert.equal(await linesOf(second), lines)
    await second.close()
  }))

test('an import that is cut off anywhere, or meets a disk that fails, leaves an empty home', () =>
  withTempDir(async dir => {
    const { lines } = await exported(join(dir, 'from'), 30, 70)
    const home = join(dir, 'to')
    let writes = 0
    const copies: string[] = []
    const cutOff = () => {
      const copy = join(dir, `cut${copies.length}`)
      cpSync(home, copy, { recursive: true, filter: path => !path.endsWith('/LOCK') })
      copies.push(copy)
    }
    const ledger = await open(home, {
      aroundFlush: async write => {
        cutOff()
        await write()
        cutOff()
        writes += 1
      },
    })
    await ledger.import(each(lines))
    await ledger.close()
    assert.ok(writes >= 3, `${writes} writes`)
    const whole = copies.pop() as string
    for (const copy of copies) {
      const cut = await open(copy)
      assert.equal([cut.tail.position, [...cut.heads()].length], [0, 0], copy)
      assert.equal((await cut.verify()).problems, [], copy)
      await cut.import(each(lines))
      assert.equal(await linesOf(cut), lines)
      await cut.close()
    }
    const done = await open(whole)
    assert.equal([await linesOf(done), done.isInert], [lines, true])
    assert.equal((await done.verify({ replay: true })).problems, [])
    await done.close()

    for (let fails = 0; fails < writes; fails += 1) {
      let count = 0
      const failing = await open(join(dir, `failing${fails}`), {
        aroundFlush: async write => {
          if (count++ === fails) throw new Error('the disk is gone')
          await write()
        },
      })
      assert.match(
        String(await failing.import(each(lines)).catch((error: unknown) => error)),
        /the disk is gone/,
      )
      assert.is(failing.tail.position, 0)
      await failing.import(each(lines))
      assert.equal(await linesOf(failing), lines)
      assert.equal((await failing.verify({ replay: true })).problems, [])
      await failing.close()
    }
  }))

test('a repaired ledger goes through with its losses, and its parked boxes come out parked', () =>
  withTempDir(async dir => {
    const from = join(dir, 'from')
    const { boxes } = await exported(from, 60, 80)
    const box = boxes[0] as string
    await withDatabase(from, async db => {
      const keys = await db.keys({ gte: `b/${box}/`, lt: `b/${box}0` }).all()
      const key = keys[Math.floor(keys.length / 2)] as string
      const text = (await db.get(key)) as string
      await db.put(key, text.replace('"at":"2', '"at":"3'))
      await db.del(`f/${key.slice(-14)}`)
      // What was there before is in no older file any more.
      await (db as unknown as { compactRange(from: string, to: string): Promise<void> }).compactRange('', '~')
    })
    const report = await repair(from, join(dir, 'repaired'))
    assert.ok(report.parked.length > 0)
    const repaired = await open(join(dir, 'repaired'))
    const lines = await linesOf(repaired)
    assert.is((await rejection(linesOf(repaired, { box }))).code, 'LEDGER_CORRUPT')
    const records = await all(repaired.read())
    const { ledger } = await importInto(join(dir, 'to'), lines)
    assert.equal(await all(ledger.read()), records)
    assert.equal([...ledger.parked], [...repaired.parked])
    assert.equal(
      [...ledger.heads()].sort((a, b) => a.position - b.position),
      [...repaired.heads()].sort((a, b) => a.position - b.position),
    )
    const kinds = (await ledger.verify({ replay: true })).problems.map(({ kind }) => kind)
    assert.equal(new Set(kinds), new Set(['parked']))
    assert.equal(await linesOf(ledger), lines)
    await ledger.close()
    await repaired.close()
  }))

test('a line may hold any character, separators of lines among them', () => {
  for (const text of ['\u2028', '\u2029', '\n', '\r', '\u0085', '","crc32":"00000000"}']) {
    const fields = { parked: { reason: `a${text}b` } }
    assert.equal(decodeLine(encodeLine(fields)), fields, JSON.stringify(text))
  }
})

test('a newer format is refused by its number', () =>
  withTempDir(async dir => {
    const { lines } = await exported(join(dir, 'from'), 5, 60)
    const ledger = await open(join(dir, 'to'))
    const first = JSON.stringify({ ...JSON.parse(lines[0] as string), format: 2 })
    const { code, details } = await rejection(ledger.import(each([first, ...lines.slice(1)])))
    assert.equal([code, details.format, details.supported], ['FORMAT_UNSUPPORTED', 2, 1])
    await ledger.close()
  }))

test('an empty ledger can be exported and imported', () =>
  withTempDir(async dir => {
    const from = await open(join(dir, 'from'))
    const lines = await linesOf(from)
    await from.close()
    assert.is(lines.length, 2)
    const { ledger, report } = await importInto(join(dir, 'to'), lines)
    assert.equal([report.records, report.boxes, ledger.tail.position], [0, 0, 0])
    assert.equal(await linesOf(ledger), lines)
    await ledger.close()
  }))

test('an export is of the moment when it began, whatever is written and archived meanwhile', () =>
  withTempDir(async dir => {
    const ledger = await open(join(dir, 'from'))
    await create(ledger, 'box000000000')
    for (let n = 0; n < 1_500; n += 1)
      await submit(ledger, 'box000000000', { type: 'box.renamed', name: `n${n}` }, { at: 1_700_000_000_000 })
    await run(ledger, 'box000000000', 'run000000000')
    await remove(ledger, 'box000000000')
    const before = await linesOf(ledger)
    const during: string[] = []
    for await (const page of ledger.export()) {
      during.push(...page)
      await create(ledger, `more${String(during.length).padStart(8, '0')}`)
      await ledger.archive(Date.now() + 1_000)
    }
    assert.equal(during, before)
    assert.ok((await linesOf(ledger)).length > before.length)
    const { ledger: other } = await importInto(join(dir, 'to'), before)
    assert.equal(await linesOf(other), before, 'archived bodies are bodies again')
    await other.close()
    await ledger.close()
  }))

test.run()
