// @timeout 120
// @timeout-long 1200
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError } from 'boxledger/machines'
import type { Ledger, Tail } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { damage } from '../api/damage.ts'
import { isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { all, create, open, remove, submit, withHome } from './boxes.ts'
import { begin, run } from './execution-records.ts'
import { type Dump, dumpOf, families, type Harm, harmed, inMemory } from './raw-values.ts'
import { repair } from './repaired.ts'
import { holdAgainst, othersWork, type Truth, truthOf } from './truth.ts'

const test = suite('hostile values in a ledger')
const random = makeRandom(takeSeed())

interface Filled extends Truth {
  readonly tail: Tail
}

/** A home with something under every kind of key: repaired, archived, compacted; and what it says. */
async function fill(home: string): Promise<Filled> {
  const before = join(home, '..', 'before')
  mkdirSync(before, { recursive: true })
  const first = await open(before)
  for (const id of ['one', 'two', 'bad', 'old', 'gone']) await create(first, id, `name-${id}`)
  await submit(first, 'one', { type: 'start.requested' }, { commandId: 'start-one' })
  await first.close()
  await damage(before, 'b/bad/')
  await repair(before, home)

  const second = await open(home)
  await second.adopt()
  for (const id of ['three', 'four']) await create(second, id, `name-${id}`, { commandId: `create-${id}` })
  for (const box of ['three', 'old']) await run(second, box, 'ended')
  await begin(second, 'three', 'running')
  await remove(second, 'old')
  await second.archive(Date.now() + 1_000)
  await remove(second, 'gone')
  await second.compact()
  const truth = { ...(await truthOf(second)), tail: second.tail }
  await second.close()
  return truth
}

interface Ground {
  readonly home: string
  readonly truth: Filled
  readonly dump: Dump
}

type Ask = (ledger: Ledger, what: string, key: string) => Promise<void>

/** Replaces one value, opens what has become of it, and asks. */
async function attempt({ home, truth, dump }: Ground, key: string, harm: Harm, ask: Ask) {
  const value = harmed(key, dump.get(key) ?? Buffer.from(''), harm, random)
  const harmedDump = new Map(dump).set(key, value)
  const { medium, held } = await inMemory(harmedDump, dump, truth.tail)
  const what = `seed ${random.seed}: ${key} ${harm} to ${Buffer.from(value).toString('utf8').slice(0, 3_000)}`
  let ledger: Ledger
  try {
    ledger = await open(home, { medium })
  } catch (error) {
    const { code } = error as { code?: string }
    const codes = ['LEDGER_CORRUPT', 'FORMAT_UNSUPPORTED']
    assert.ok(BoxError.is(error) && codes.includes(code ?? ''), `${what}: ${(error as Error).stack}`)
    assert.equal(await held(), harmedDump, `${what}: refused, and written to`)
    return 'refused'
  }
  try {
    await ask(ledger, what, key)
  } finally {
    await ledger.close()
  }
  assert.not(isPolluted())
  return 'opened'
}

const onEveryFamily = (count: number, harm: Harm, askOf: (truth: Truth) => Ask) =>
  withHome(async home => {
    const truth = await fill(home)
    const ground = { home, truth, dump: await dumpOf(home) }
    const counts = { refused: 0, opened: 0 }
    for (const family of families) {
      const keys = [...ground.dump.keys()].filter(key => key.startsWith(family))
      assert.ok(keys.length > 0, family)
      for (let n = 0; n < count; n++) counts[await attempt(ground, random.pick(keys), harm, askOf(truth))]++
    }
    process.stdout.write(`\n${harm} values: ${JSON.stringify(counts)}\n`)
  })

/** Heads are made anew, and numbers of executions; a home that cannot be known again is inert; when it was compacted nobody needs to know. */
const isMended = (key: string): boolean => /^[hx]\//.test(key) || ['m/home', 'm/compacted'].includes(key)

test('one that is damaged: the ledger refuses to open, parks, or knows better; never a wrong answer', () =>
  onEveryFamily(sized(8, 150), 'damaged', truth => async (ledger, what, key) => {
    await holdAgainst(ledger, truth, what)
    const { problems } = await ledger.verify({ replay: true })
    const told = problems.filter(({ box }) => box !== 'bad').length
    assert.is(told > 0, !isMended(key), `${what}: ${JSON.stringify(problems)}`)
    await othersWork(ledger, truth, what)
  }))

/** Whatever it is asked: an answer or a refusal. */
async function askAnything(ledger: Ledger, truth: Truth, what: string): Promise<void> {
  const ask = async (question: () => Promise<unknown>) => {
    try {
      await question()
    } catch (error) {
      assert.ok(BoxError.is(error), `${what}: ${error instanceof Error ? error.stack : error}`)
    }
  }
  await ask(() => all(ledger.read()))
  for (const box of [...truth.heads.keys(), ...truth.removed.keys()]) {
    await ask(() => all(ledger.history(box)))
    await ask(() => ledger.removedHead(box))
  }
  for (const id of truth.commands.keys()) await ask(() => ledger.command(id))
  await ask(() => ledger.verify({ replay: true }))
  for (const { box } of [...ledger.heads()])
    await ask(() => submit(ledger, box, { type: 'box.renamed', name: `again-${box}` }))
  await ask(() => create(ledger, 'fresh', 'fresh'))
  await ask(() => ledger.archive(Date.now()))
}

test('one that is forged: nothing breaks, and boxes that it is not about work', () =>
  onEveryFamily(sized(8, 150), 'forged', truth => async (ledger, what) => {
    await askAnything(ledger, truth, what)
    const { position, hash } = ledger.tail
    assert.ok(Number.isSafeInteger(position) && position > 0 && /^[0-9a-f]{64}$/.test(hash), what)
  }))

test.run()
