// @timeout 120
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxError } from 'boxledger'
import type { Ledger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { sized } from '../support/long.ts'
import { suite } from '../support/suite.ts'
import {
  all,
  create,
  damage,
  keyOf,
  next,
  open,
  rejection,
  remove,
  submit,
  withDatabase,
  withHome,
} from './boxes.ts'
import { startOwner } from './owners.ts'
import { fingerprintOf, repair, repairAndCompare, type Truth, truthOf } from './repaired.ts'

const test = suite('repair')
type Database = Parameters<Parameters<typeof withDatabase>[1]>[0]

/** Positions 1 to 3 create three boxes, 4 to 6 begin to start them; 7 renames `bbbb`; 8 to 11 are of `gone`, and of `last`. */
async function fill(ledger: Ledger): Promise<void> {
  for (const id of ['aaaa', 'bbbb', 'cccc'])
    await create(ledger, id, `name-${id}`, { commandId: `create-${id}` })
  for (const id of ['aaaa', 'bbbb', 'cccc'])
    await submit(ledger, id, { type: 'start.requested' }, { commandId: `start-${id}` })
  await submit(ledger, 'bbbb', { type: 'box.renamed', name: 'renamed' })
  await create(ledger, 'gone', 'was-here')
  await remove(ledger, 'gone')
  await create(ledger, 'last', 'name-last')
}

interface Case {
  readonly home: string
  readonly target: string
  readonly truth: Truth
}

/** A filled home that nobody has open. */
function filled(body: (given: Case) => Promise<void>): Promise<void> {
  return withHome(async home => {
    const ledger = await open(home)
    await fill(ledger)
    const truth = await truthOf(ledger)
    await ledger.close()
    await body({ home, target: `${home}-new`, truth })
  })
}

/** Overwrites in the database; what was there before must not be found in an older file. */
async function harm(home: string, body: (db: Database) => Promise<unknown>): Promise<void> {
  await withDatabase(home, async db => {
    await body(db)
    await (db as unknown as { compactRange(from: string, to: string): Promise<void> }).compactRange('', '~')
  })
}

const frameKeyOf = (position: number) => `f/${position.toString(16).padStart(14, '0')}`

test('a good home is copied, record for record', () =>
  filled(async ({ home, target, truth }) => {
    const report = await repairAndCompare(home, target, truth)
    assert.equal(report, {
      ...{ records: 11, boxes: 5, position: 11, rebuilt: 0, unknown: 0 },
      ...{ parked: [], lost: [], unproven: [], files: [], problems: [] },
    })
  }))

for (const [what, files] of [
  ['CURRENT', /^CURRENT$/],
  ['MANIFEST', /^MANIFEST/],
  ['CURRENT and MANIFEST', /^CURRENT$|^MANIFEST/],
] as const)
  test(`a home without ${what} gives everything`, () =>
    filled(async ({ home, target, truth }) => {
      for (const name of readdirSync(join(home, 'ledger')).filter(name => files.test(name)))
        rmSync(join(home, 'ledger', name))
      const { records, lost } = await repairAndCompare(home, target, truth)
      assert.equal([records, lost], [11, []])
    }))

test('a home without its tail file gives everything', () =>
  filled(async ({ home, target, truth }) => {
    rmSync(join(home, 'ledger.tail'))
    assert.is((await repairAndCompare(home, target, truth)).records, 11)
  }))

test('damaged heads, names, commands and ownerships are made anew', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, async db => {
      for await (const [key] of db.iterator({ gte: 'c/', lt: 'z' }))
        if (/^[hrncm]\//.test(key) && key !== 'm/format') await db.put(key, '00000000{}')
    })
    const report = await repairAndCompare(home, target, truth)
    assert.equal([report.records, report.parked], [11, []])
  }))

for (const position of sized([1, 5, 8, 11], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]))
  test(`a frame that is lost is made anew, and proven: ${position} of 11`, () =>
    filled(async ({ home, target, truth }) => {
      await harm(home, db => db.del(frameKeyOf(position)))
      const report = await repairAndCompare(home, target, truth)
      assert.equal([report.records, report.rebuilt, report.lost, report.parked], [11, 1, [], []])
    }))

test('frames that are lost altogether are made anew', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, db => db.clear({ gte: 'f/', lt: 'f0' }))
    const report = await repairAndCompare(home, target, truth)
    assert.equal([report.records, report.rebuilt, report.lost], [11, 11, []])
  }))

for (const [what, box, position, change] of [
  ['in the midst', 'aaaa', 1, (db: Database) => damage(db, 'b/aaaa/', '"memoryMib":128', '"memoryMib":129')],
  ['that is gone', 'bbbb', 2, async (db: Database) => db.del(await keyOf(db, 'b/bbbb/'))],
  ['at the end', 'last', 11, (db: Database) => damage(db, 'b/last/', '"memoryMib":128', '"memoryMib":129')],
  [
    'of a removed box',
    'gone',
    8,
    (db: Database) => damage(db, 'b/gone/', '"memoryMib":128', '"memoryMib":1'),
  ],
] as const)
  test(`a bad body ${what} parks its box in the new home, with the reason and the position`, () =>
    filled(async ({ home, target, truth }) => {
      await harm(home, change)
      const report = await repairAndCompare(home, target, truth)
      assert.equal(report.parked, [{ box, position, reason: 'the body is lost' }])
      assert.equal(report.lost, [{ from: position, to: position }])
      const ledger = await open(target)
      const error = await rejection(all(ledger.history(box)))
      assert.is(error.code, 'LEDGER_CORRUPT')
      assert.is((await rejection(all(ledger.read({ box })))).code, 'LEDGER_CORRUPT')
      assert.is((await rejection(create(ledger, box))).code, 'LEDGER_CORRUPT')
      if (box !== 'gone')
        assert.is(
          (await rejection(create(ledger, 'dddd', truth.heads.get(box)?.state.context.name))).code,
          'NAME_TAKEN',
        )
      assert.equal(ledger.head(box), box === 'gone' ? undefined : truth.heads.get(box))
      assert.is(ledger.parked.get(box)?.removed, box === 'gone' ? true : undefined)
      // All others go on.
      const { record } = await submit(ledger, 'cccc', { type: 'stop.requested', mode: 'kill' })
      assert.is(record.position, 12)
      assert.is(record.prev, truth.records[10]?.hash)
      await ledger.close()
    }))

for (const [position, box, version] of [
  [2, 'bbbb', 1],
  [5, 'bbbb', 2],
  [11, 'last', 1],
] as const)
  test(`a record that is gone altogether: its frame is proven by what its neighbours know, ${position} of 11`, () =>
    filled(async ({ home, target, truth }) => {
      await harm(home, async db => {
        await db.del(frameKeyOf(position))
        for await (const key of db.keys({ gte: `b/${box}/`, lt: `b/${box}0` }))
          if (key.includes(`/${String(version).padStart(14, '0')}/`)) await db.del(key)
      })
      const report = await repairAndCompare(home, target, truth)
      assert.equal([report.rebuilt, report.unproven], [1, []])
      assert.equal(report.parked, [{ box, position, reason: 'the body is lost' }])
      assert.equal(report.lost, [{ from: position, to: position }])
    }))

test('a hole that nothing proves: declared, good bodies beside it kept, the chain goes on from what its successor links to', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, async db => {
      for (const position of [7, 8, 9, 10]) await db.del(frameKeyOf(position))
      await db.clear({ gte: 'b/gone/', lt: `b/gone/${'3'.padStart(14, '0')}` })
      await db.clear({ gte: 'r/gone', lt: 'r/gonf' })
    })
    const report = await repairAndCompare(home, target, truth)
    assert.equal(
      report.parked.map(({ box, position }) => [box, position]),
      [['gone', 8]],
    )
    assert.equal(report.lost, [{ from: 8, to: 9 }])
    assert.equal(report.unproven, [{ from: 10, to: 10 }])
    assert.is(report.records, 9)
  }))

test('lost at the end: positions go on after what the tail file knows', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, async db => {
      for (const position of [10, 11]) await db.del(frameKeyOf(position))
      await db.clear({ gte: 'b/last/', lt: 'b/last0' })
      await db.del('h/last')
      await db.del('n/name-last')
    })
    const report = await repair(home, target)
    assert.equal(report.lost, [{ from: 11, to: 11 }])
    assert.equal([report.parked, report.position, report.records], [[], 11, 10])
    const ledger = await open(target)
    const { record } = await create(ledger, 'next', 'name-last')
    assert.is(record.position, 12)
    assert.is(record.prev, truth.records[10]?.hash)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
    const again = await open(target)
    assert.equal(
      (await all(again.read({ from: 9 }))).map(({ position }) => position),
      [9, 10, 12],
    )
    await again.close()
  }))

test('a box whose last record is lost, as its head tells, is parked', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, async db => {
      await db.del(frameKeyOf(7))
      await db.del(frameKeyOf(6))
      await db.clear({ gte: `b/bbbb/${'3'.padStart(14, '0')}`, lt: 'b/bbbb0' })
      await db.clear({ gte: `b/cccc/${'2'.padStart(14, '0')}`, lt: 'b/cccc0' })
    })
    const report = await repairAndCompare(home, target, truth)
    assert.equal(report.parked.map(({ box }) => box).sort(), ['bbbb', 'cccc'])
    assert.equal(report.lost, [{ from: 6, to: 7 }])
  }))

test('a damaged home that was repaired can be repaired again', () =>
  filled(async ({ home, target, truth }) => {
    await harm(home, async db => {
      for (const position of [7, 8, 9, 10]) await db.del(frameKeyOf(position))
      await db.clear({ gte: 'b/gone/', lt: `b/gone/${'3'.padStart(14, '0')}` })
      await db.clear({ gte: 'r/gone', lt: 'r/gonf' })
    })
    const first = await repairAndCompare(home, target, truth)
    const second = await repair(target, `${target}-2`)
    assert.equal(
      { ...second, parked: second.parked.map(({ box }) => box) },
      { ...first, rebuilt: 0, parked: first.parked.map(({ box }) => box) },
    )
    const ledger = await open(`${target}-2`)
    const { problems } = await ledger.verify({ replay: true })
    assert.equal(
      problems.map(({ kind, box }) => `${kind} ${box}`),
      ['parked gone'],
    )
    await ledger.close()
  }))

test('archived records are in the new ledger again', () =>
  withHome(async home => {
    const ledger = await open(home)
    await fill(ledger)
    await ledger.archive(Date.now() + 1)
    await ledger.compact()
    const truth = await truthOf(ledger)
    await ledger.close()
    await harm(home, async db => {
      await db.del(frameKeyOf(9))
      await damage(db, 'b/gone/', '@1:0', '@1:7')
    })
    const report = await repairAndCompare(home, `${home}-new`, truth)
    assert.equal([report.records, report.parked], [11, []])
    rmSync(join(home, 'archive'), { recursive: true })
    const worse = await repairAndCompare(home, `${home}-new2`, truth)
    assert.equal(
      worse.parked.map(({ box }) => box),
      ['gone'],
    )
  }))

test('a log that was cut off gives what is before the cut, and tells what is lost', () =>
  filled(async ({ home, target, truth }) => {
    const log = readdirSync(join(home, 'ledger')).find(name => name.endsWith('.log')) ?? ''
    truncateSync(join(home, 'ledger', log), 6_000)
    const report = await repair(home, target)
    assert.ok(report.records > 1 && report.records < 11, JSON.stringify(report))
    assert.equal(report.lost, [{ from: report.records + 1, to: 11 }])
    assert.is(report.position, 11)
    assert.is(report.files.length, 1)
    const ledger = await open(target)
    const records = await all(ledger.read())
    assert.equal(records, truth.records.slice(0, report.records))
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
    // LevelDB would have dropped the rest of it without a word.
    assert.is((await rejection(open(home))).code, 'LEDGER_CORRUPT')
  }))

test('a write that was torn at the end, and never told, is no loss', () =>
  filled(async ({ home, target, truth }) => {
    const ledger = await open(home)
    const name = readdirSync(join(home, 'ledger')).find(name => name.endsWith('.log')) ?? ''
    const log = join(home, 'ledger', name)
    const { size } = statSync(log)
    copyFileSync(join(home, 'ledger.tail'), `${home}-tail`)
    await create(ledger, 'torn', 'name-torn')
    await ledger.close()
    // Its frame is whole, its body is not.
    truncateSync(log, size + 600)
    copyFileSync(`${home}-tail`, join(home, 'ledger.tail'))
    const report = await repairAndCompare(home, target, { ...truth, epoch: ledger.epoch })
    assert.equal([report.position, report.lost, report.parked, report.files.length], [11, [], [], 1])
  }))

test('a history that today does not fold keeps its stored head; without that its box is parked', () =>
  withHome(async home => {
    const ledger = await open(home)
    await fill(ledger)
    const append = next(ledger, 'last', { type: 'start.requested' })
    // As another version of the machine would have had it.
    await ledger.append({ ...append, transition: { ...append.transition, effects: [] } })
    await submit(ledger, 'last', { type: 'box.renamed', name: 'later' })
    const head = ledger.head('last')
    await ledger.close()
    assert.equal((await repair(home, `${home}-1`)).parked, [])
    const good = await open(`${home}-1`)
    assert.equal(good.head('last'), head)
    assert.is(good.claimant('later'), 'last')
    await good.close()
    await harm(home, db => db.put('h/last', '00000000{}'))
    const { parked, records } = await repair(home, `${home}-2`)
    assert.is(records, 13)
    assert.equal(parked, [
      { box: 'last', position: 13, reason: 'the history does not fold, and the head is lost' },
    ])
  }))

test('killed at any moment, it leaves a home that is refused, or one that is complete', () =>
  filled(async ({ home, target }) => {
    const program = fileURLToPath(new URL('./repairer.js', import.meta.url))
    let refused = 0
    for (const sign of [
      'ledger.tail',
      'repair/scratch',
      'repair/ledger',
      'repair/ledger/CURRENT',
      'ledger/CURRENT',
    ]) {
      const place = `${target}-${sign.replaceAll('/', '-')}`
      const child = spawn(process.execPath, [program, home, place], { stdio: 'ignore' })
      const ended = once(child, 'exit')
      await eventually(() => existsSync(join(place, sign)) || child.exitCode !== null, {
        everyMs: 0,
        timeoutMs: 30_000,
      })
      child.kill('SIGKILL')
      await ended
      const outcome = await open(place).then(
        async ledger => {
          assert.is((await all(ledger.read())).length, 11)
          await ledger.close()
          return 'complete'
        },
        error => error.code,
      )
      if (outcome === 'LEDGER_CORRUPT') refused += 1
      else assert.is(outcome, 'complete', sign)
      assert.is((await rejection(repair(home, place))).code, 'INVALID_ARGUMENT')
    }
    assert.ok(refused > 0)
    process.stdout.write(`\nkilled while it repaired: 5 times, ${refused} refused, ${5 - refused} complete\n`)
  }))

test('nothing at all is left: the new home says so', () =>
  filled(async ({ home, target }) => {
    for (const name of readdirSync(join(home, 'ledger'))) rmSync(join(home, 'ledger', name))
    const report = await repair(home, target)
    assert.equal([report.records, report.boxes, report.lost], [0, 0, [{ from: 1, to: 11 }]])
    const ledger = await open(target)
    assert.is((await create(ledger, 'aaaa')).record.position, 12)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
  }))

test('an empty home gives an empty home', () =>
  withHome(async home => {
    await (await open(home)).close()
    assert.is((await repair(home, `${home}-new`)).position, 0)
    const ledger = await open(`${home}-new`)
    assert.is((await create(ledger, 'aaaa')).record.position, 1)
    await ledger.close()
  }))

test('places that will not do are refused, and stay as they are', () =>
  filled(async ({ home, target }) => {
    const before = fingerprintOf(home)
    const full = `${target}-full`
    mkdirSync(full)
    writeFileSync(join(full, 'file'), '')
    const nowhere = join(full, 'file', 'below')
    for (const [from, to, field] of [
      [`${home}-none`, target, 'home'],
      [full, target, 'home'],
      [join(home, 'lock'), target, 'home'],
      [home, full, 'target'],
      [home, join(full, 'file'), 'target'],
      [home, nowhere, 'target'],
      [home, home, 'target'],
      [home, join(home, 'new'), 'target'],
      [home, join(home, 'ledger', 'new'), 'target'],
      [home, 'relative', 'target'],
      ['relative', target, 'home'],
    ] as const) {
      const error = await rejection(repair(from, to))
      assert.is(error.code, 'INVALID_ARGUMENT', `${from} to ${to}`)
      assert.is(error.details.field, field, `${from} to ${to}`)
    }
    assert.is(fingerprintOf(home), before)
    assert.equal(readdirSync(full), ['file'])
    assert.not(existsSync(target))
    const empty = `${target}-empty`
    mkdirSync(empty)
    assert.is((await repair(home, empty)).records, 11)
  }))

test('a home that somebody owns is refused, and a home that is being repaired is not taken', () =>
  filled(async ({ home, target }) => {
    await using owner = await startOwner(home, 'hold')
    const error = await rejection(repair(home, target))
    assert.is(error.code, 'ENGINE_LOCKED')
    assert.is(error.details.pid, owner.pid)
    assert.not(existsSync(target))
    await owner.kill()
    const repairing = repair(home, target)
    await new Promise(resolve => setImmediate(resolve))
    let isOver = false
    repairing.then(() => {
      isOver = true
    })
    assert.is((await rejection(open(target))).code, 'ENGINE_LOCKED')
    // Nobody has told a name here: it is waited for a while.
    const opened = await open(home).catch((error: unknown) => {
      assert.ok(BoxError.is(error, 'ENGINE_LOCKED'))
    })
    assert.ok(isOver || opened === undefined)
    await opened?.close()
    assert.is((await repairing).records, 11)
  }))

test('a ledger of a newer format is refused', () =>
  filled(async ({ home, target }) => {
    await harm(home, db => db.put('m/format', '2'))
    const error = await rejection(repair(home, target))
    assert.is(error.code, 'FORMAT_UNSUPPORTED')
    assert.not(existsSync(target))
  }))

test.run()
