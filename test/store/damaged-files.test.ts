// @timeout 1500
import { cpSync, linkSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, type Random, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { canMount, withTmpfs } from '../support/tmpfs.ts'
import { create, open, remove, submit } from './boxes.ts'
import { assertPlace, holdAgainst, othersWork, type Truth, truthOf } from './truth.ts'

const test = suite('damaged files')

/**
 * A home as it is after some use, closed: tables on two levels, a log of several blocks, and in them frames, bodies, heads of
 * living and of removed boxes, names, commands and ownerships.
 */
async function fill(home: string): Promise<Truth> {
  const work = async (opening: number, boxes: number, rounds: number) => {
    const ledger = await open(home)
    for (let n = 0; n < boxes; n += 1) {
      const id = `box${opening}${n}`
      await create(ledger, id, `name-${id}`, { commandId: `create-${id}` })
      await submit(ledger, id, { type: 'start.requested' }, { commandId: `start-${id}` })
    }
    await create(ledger, `gone${opening}`, null, { commandId: `create-gone${opening}` })
    await remove(ledger, `gone${opening}`)
    for (let round = 0; round < rounds; round += 1)
      for (const { box } of [...ledger.heads()])
        await submit(ledger, box, { type: 'box.renamed', name: `name-${opening}-${round}-${box}` })
    await ledger.close()
  }
  await work(0, 10, 2)
  await work(1, 10, 1)
  await compact(home)
  await work(2, 4, 0)
  await work(3, 4, 0)
  await work(4, 4, 2)
  const copied = `${home}-truth`
  copy(home, copied)
  const ledger = await open(copied)
  const truth = await truthOf(ledger)
  await ledger.close()
  rmSync(copied, { recursive: true })
  return truth
}

/** Makes one table, on the deepest level, of all that there are. */
async function compact(home: string): Promise<void> {
  const db = new ClassicLevel<string, string>(join(home, 'ledger'))
  await db.open()
  await db.compactRange('', '~')
  await db.close()
}

function tablesIn(home: string): string[] {
  return readdirSync(join(home, 'ledger')).filter(file => file.endsWith('.ldb'))
}

interface Harm {
  readonly what: string
  do(file: string, bytes: Buffer, random: Random): string
}

const flip: Harm = {
  what: 'bit flips',
  do(file, bytes, random) {
    const at = random.below(bytes.length)
    const bit = random.below(8)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
    writeFileSync(file, bytes)
    return `bit ${bit} of byte ${at}`
  },
}

const cut: Harm = {
  what: 'truncations',
  do(file, bytes, random) {
    const at = random.below(bytes.length)
    truncateSync(file, at)
    return `cut at ${at}`
  },
}

/** As a disk leaves it that wrote some of its sectors: they hold zeros, or what was there before. */
const tear: Harm = {
  what: 'torn writes',
  do(file, bytes, random) {
    const from = random.below(bytes.length)
    const end = random.pick([from - (from % 512) + 512, bytes.length])
    const zeros = random.below(2) === 0
    for (let at = from; at < Math.min(end, bytes.length); at += 1) bytes[at] = zeros ? 0 : random.below(256)
    writeFileSync(file, bytes)
    return `${zeros ? 'zeros' : 'noise'} from ${from} to ${end}`
  },
}

/** The ballast is large, and never written to: two homes can have the same. */
function copy(from: string, to: string): void {
  const ballast = join('ledger', 'ballast')
  cpSync(from, to, { recursive: true, filter: path => path !== join(from, ballast) })
  linkSync(join(from, ballast), join(to, ballast))
}

/** On a disk in memory, where it can be had: each try opens and syncs three times. */
function inMemory(body: (dir: string) => Promise<void>): Promise<void> {
  return canMount() ? withTmpfs(64, ({ dir }) => body(dir)) : withTempDir(body)
}

async function harmEach(harm: Harm, count: number): Promise<void> {
  const random = makeRandom(takeSeed())
  await inMemory(async dir => {
    const whole = join(dir, 'home')
    const truth = await fill(whole)
    const files = ['ledger.tail', ...readdirSync(join(whole, 'ledger')).map(file => `ledger/${file}`)].filter(
      file => /\.(ldb|log|tail)$|MANIFEST|CURRENT/.test(file) && readFileSync(join(whole, file)).length > 0,
    )
    assert.is(tablesIn(whole).length, 3)
    const outcomes = { refused: 0, parked: 0, told: 0, right: 0 }
    for (let n = 0; n < count; n += 1) {
      const home = `${whole}-harmed`
      copy(whole, home)
      const file = random.pick(files)
      const path = join(home, file)
      const what = `${file}, ${harm.do(path, readFileSync(path), random)}`
      outcomes[await lookAt(home, truth, what)] += 1
      rmSync(home, { recursive: true })
    }
    const { refused, parked, told, right } = outcomes
    console.log(
      `${harm.what}: ${count} tried, ${refused} refused with the place, ${parked + told} told when read ` +
        `(${parked} with parked boxes), ${right} without effect, 0 wrong`,
    )
    assert.ok(refused > 0 && right + parked + told > 0)
  })
}

async function lookAt(home: string, truth: Truth, what: string) {
  const ledger = await open(home).catch(error => void assertPlace(error, what))
  if (ledger === undefined) {
    // Refusing has changed nothing, or nothing that helps it.
    await open(home).then(
      () => assert.unreachable(`${what}: refused once, then opened`),
      error => assertPlace(error, what),
    )
    return 'refused'
  }
  const { told } = await holdAgainst(ledger, truth, what)
  const report = await ledger.verify({ replay: true })
  if (told > 0) assert.not(report.ok, `${what}: verify finds what was told`)
  for (const { kind, position, box, file } of report.problems)
    assert.ok(
      position !== undefined ||
        box !== undefined ||
        file !== undefined ||
        ['name', 'command', 'journal'].includes(kind),
      `${what}: ${kind} has its place`,
    )
  const parked = ledger.parked.size > 0
  await othersWork(ledger, truth, what)
  await ledger.close()
  const again = await open(home)
  assert.is(
    [...again.heads()].length,
    truth.heads.size,
    `${what}: all boxes are there after the next opening`,
  )
  await again.close()
  return parked ? 'parked' : told > 0 ? 'told' : 'right'
}

for (const [harm, count] of [
  [flip, sized(200, 10_000)],
  [cut, sized(50, 2_500)],
  [tear, sized(50, 2_500)],
] as const)
  test(`${harm.what} anywhere give the right answer or a clear error, never a wrong value`, () =>
    harmEach(harm, count))

test('a manifest that has lost its end hides no table: LevelDB would open it, and delete what it does not name', () =>
  inMemory(async dir => {
    const random = makeRandom(takeSeed())
    const whole = join(dir, 'home')
    const ledger = await open(whole, { durability: 'process' })
    // More than LevelDB's log may hold, so that the manifest is added to while it runs.
    for (let n = 0; tablesIn(whole).length < 2; n += 1)
      await Promise.all(Array.from({ length: 200 }, (_, m) => create(ledger, `box-${n}-${m}`)))
    const { position } = ledger.tail
    await ledger.close()
    const [name = ''] = readdirSync(join(whole, 'ledger')).filter(file => file.startsWith('MANIFEST'))
    const bytes = readFileSync(join(whole, 'ledger', name))
    const tries = sized(12, bytes.length)
    let refused = 0
    for (let n = 0; n < tries; n += 1) {
      const home = `${whole}-cut`
      copy(whole, home)
      const at = tries < bytes.length ? random.below(bytes.length) : n
      truncateSync(join(home, 'ledger', name), at)
      const opened = await open(home).catch(error => void assertPlace(error, `cut at ${at}`))
      if (opened === undefined) refused += 1
      else {
        let count = 0
        for await (const _ of opened.read()) count += 1
        assert.is(count, position, `cut at ${at}`)
        await opened.close()
      }
      rmSync(home, { recursive: true })
    }
    console.log(`ends of a manifest: ${tries} tried, ${refused} refused, ${tries - refused} without effect`)
    assert.ok(refused > 0)
  }))

test('a table that was whole once is looked at again when it was touched, and not before', () =>
  inMemory(async dir => {
    const home = join(dir, 'home')
    const truth = await fill(home)
    const list = join(home, 'ledger', 'checked')
    const listed = () => readFileSync(list, 'latin1').match(/\d{6}\.ldb/g) ?? []
    const again = await open(home)
    assert.ok(listed().length > 0, 'the list is there while the home is open, and so after a crash')
    await holdAgainst(again, truth, 'untouched')
    await again.close()
    for (const table of tablesIn(home)) {
      const file = join(home, 'ledger', table)
      const bytes = readFileSync(file)
      const at = bytes.length - 100
      bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(file, bytes)
    }
    const error = await open(home).then(
      () => assert.unreachable('opened with a damaged index'),
      error => error,
    )
    assertPlace(error, 'touched')
    assert.match(error.details.file, /\.ldb$/)
  }))

test.run()
