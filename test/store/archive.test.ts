import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { LedgerRecord } from 'boxledger/machines'
import type { Ledger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { all, create, damage, open, rejection, remove, submit, withDatabase, withHome } from './boxes.ts'

const test = suite('archive')

const long = Date.parse('2020-01-01T00:00:00Z')
const segment = 'archive/000001.ndjson'

/** Three boxes that are gone, one of them since lately, and two that live. */
async function fill(ledger: Ledger): Promise<void> {
  for (const id of ['old1', 'live', 'old2', 'new1', 'also']) await create(ledger, id, `name-${id}`)
  await submit(ledger, 'live', { type: 'start.requested' }, { commandId: 'start-live' })
  for (const id of ['old2', 'old1']) {
    await submit(ledger, id, { type: 'box.renamed', name: null }, { commandId: `rename-${id}`, at: long })
    await submit(ledger, id, { type: 'remove.requested', force: false }, { at: long })
    await submit(ledger, id, { type: 'box.removed', incarnation: 0 }, { at: long })
  }
  await remove(ledger, 'new1')
}

interface Truth {
  readonly records: readonly LedgerRecord[]
  readonly histories: Readonly<Record<string, readonly LedgerRecord[]>>
}

const boxes = ['old1', 'live', 'old2', 'new1', 'also']

async function truthOf(ledger: Ledger): Promise<Truth> {
  const histories: Record<string, LedgerRecord[]> = {}
  for (const box of boxes) histories[box] = await all(ledger.history(box))
  return { records: await all(ledger.read()), histories }
}

/** A home with a filled ledger, of which the old boxes are archived. */
function archived(body: (ledger: Ledger, home: string, truth: Truth) => Promise<void>): Promise<void> {
  return withHome(async home => {
    const ledger = await open(home)
    try {
      await fill(ledger)
      const truth = await truthOf(ledger)
      const report = await ledger.archive(Date.now() - 60_000)
      assert.is(report.boxes, 2)
      assert.is(report.records, 8)
      assert.equal(report.left, [])
      assert.equal(
        report.segments.map(({ file }) => file),
        [segment],
      )
      await body(ledger, home, truth)
    } finally {
      await ledger.close()
    }
  })
}

test('records of boxes removed before a time move to a segment, and are read as before', () =>
  archived(async (ledger, home, truth) => {
    assert.equal(await truthOf(ledger), truth)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    const path = join(home, segment)
    assert.is(statSync(path).mode & 0o777, 0o600)
    assert.is(statSync(join(home, 'archive')).mode & 0o777, 0o700)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.equal(
      lines.map(line => JSON.parse(line)).map(({ box, version }) => `${box} ${version}`),
      ['old1', 'old2'].flatMap(box => [1, 2, 3, 4].map(version => `${box} ${version}`)),
    )
    assert.equal(await all(ledger.read({ from: 3, box: 'old2' })), truth.histories.old2)
    for (const box of boxes) assert.ok((await ledger.verify({ box, replay: true })).ok, box)
    assert.equal(await ledger.command('rename-old1'), { box: 'old1', position: 10 })
    assert.is((await ledger.removedHead('old1'))?.version, 4)
    assert.is((await rejection(create(ledger, 'old1'))).code, 'WRONG_EXPECTED_VERSION')
  }))

test('archiving again moves what has come since, and nothing twice', () =>
  archived(async (ledger, home, truth) => {
    const nothing = await ledger.archive(Date.now() - 60_000)
    assert.equal([nothing.boxes, nothing.records, nothing.segments], [0, 0, []])
    const [one, two] = await Promise.all([ledger.archive(Date.now() + 1), ledger.archive(Date.now() + 1)])
    assert.equal([one?.boxes, one?.records, two?.records], [1, 3, 0])
    assert.equal(readdirSync(join(home, 'archive')).sort(), ['000001.ndjson', '000002.ndjson'])
    assert.equal(await truthOf(ledger), truth)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
  }))

test('a home opened again reads its archive', () =>
  archived(async (ledger, home, truth) => {
    await ledger.close()
    const again = await open(home)
    assert.equal(await truthOf(again), truth)
    assert.is(again.parked.size, 0)
    assert.equal((await again.verify({ replay: true })).problems, [])
    await again.close()
  }))

for (const [what, harm, message, problems] of [
  ['missing', (path: string) => rm(path), /missing/, 9],
  ['cut off', (path: string) => truncate(path, 1_000), /cut off/, undefined],
  [
    'altered',
    async (path: string) => {
      const bytes = readFileSync(path)
      bytes.writeUInt8(bytes.readUInt8(100) ^ 4, 100)
      writeFileSync(path, bytes)
    },
    /altered/,
    2,
  ],
  [
    'longer than it was',
    async (path: string) => writeFileSync(path, `${readFileSync(path, 'utf8')}{}\n`),
    /altered/,
    1,
  ],
] as const)
  test(`verify finds a segment that is ${what}, and reads past the damage are refused`, () =>
    archived(async (ledger, home, truth) => {
      chmodSync(join(home, segment), 0o600)
      await harm(join(home, segment))
      const report = await ledger.verify({ replay: true })
      assert.not(report.ok)
      const found = report.problems.find(({ kind }) => kind === 'segment')
      assert.is(found?.file, segment)
      assert.match(found?.message ?? '', message)
      if (problems !== undefined) assert.is(report.problems.length, problems, JSON.stringify(report.problems))
      for (const problem of report.problems) if (problem.kind !== 'command') assert.is(problem.file, segment)
      assert.equal(await all(ledger.history('live')), truth.histories.live)
      if (what !== 'longer than it was') {
        const bad = await rejection(all(ledger.history(what === 'cut off' ? 'old2' : 'old1')))
        assert.is(bad.code, 'LEDGER_CORRUPT')
        assert.is(bad.details.file, segment)
      }
      const { record } = await submit(ledger, 'live', { type: 'stop.requested', mode: 'kill' })
      assert.is(record.position, truth.records.length + 1)
    }))

test('a segment without its entry in the journal is named', () =>
  archived(async (ledger, home) => {
    await ledger.close()
    await withDatabase(home, db => db.del(`m/segment/${'1'.padStart(14, '0')}`))
    const again = await open(home)
    const [problem] = (await again.verify()).problems
    assert.is(problem?.kind, 'journal')
    assert.is(problem?.file, segment)
    // It is needed: neither is it thrown away, nor is its number given again.
    await again.archive(Date.now() + 1)
    assert.equal(readdirSync(join(home, 'archive')).sort(), ['000001.ndjson', '000002.ndjson'])
    await again.close()
  }))

test('damage is not moved', () =>
  withHome(async home => {
    const first = await open(home)
    await fill(first)
    await first.close()
    await withDatabase(home, db => damage(db, 'b/old1/', '"memoryMib":128', '"memoryMib":129'))
    const ledger = await open(home)
    const report = await ledger.archive(Date.now() + 1)
    assert.equal(report.left, ['old1'])
    assert.is(report.boxes, 2)
    const { problems } = await ledger.verify()
    assert.equal(
      problems.map(({ kind, position }) => `${kind} ${position}`),
      ['body 1'],
    )
    await ledger.close()
  }))

test('a write that fails in the midst: nothing is lost, and it goes on when asked again', () =>
  withHome(async home => {
    let fail: 'before' | 'after' | undefined
    const ledger = await open(home, {
      aroundFlush: async write => {
        const now = fail
        fail = undefined
        if (now === 'before') throw new Error('IO error: made by the test')
        await write()
        if (now === 'after') throw new Error('IO error: made by the test')
      },
    })
    await fill(ledger)
    let truth = await truthOf(ledger)
    for (const when of ['before', 'after'] as const) {
      fail = when
      assert.is((await rejection(ledger.archive(Date.now() + 1))).code, 'ENGINE_FAILED')
      assert.equal(await truthOf(ledger), truth)
      await submit(ledger, 'also', { type: 'box.renamed', name: `then-${when}` })
      truth = await truthOf(ledger)
    }
    const { records } = await ledger.archive(Date.now() + 1)
    assert.is(records, 0)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    assert.ok(existsSync(join(home, segment)))
    await ledger.close()
  }))

test('a closed ledger archives nothing', () =>
  withHome(async home => {
    const ledger = await open(home)
    await fill(ledger)
    const archiving = ledger.archive(Date.now() + 1).catch(error => error.code)
    await ledger.close()
    assert.is(await archiving, 'ENGINE_CLOSED')
    assert.is((await rejection(ledger.archive(Date.now()))).code, 'ENGINE_CLOSED')
    assert.is((await rejection(ledger.compact())).code, 'ENGINE_CLOSED')
    const again = await open(home)
    assert.equal((await again.verify({ replay: true })).problems, [])
    await again.close()
  }))

test.run()
