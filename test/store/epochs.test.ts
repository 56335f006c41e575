import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Problem } from 'boxledger/store'
import type { Level } from 'level'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { create, open, submit, withDatabase, withHome } from './boxes.ts'

const test = suite('epochs')

interface Meta {
  readonly epoch: number
  readonly bootId: string
  readonly engine: string
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const seal = (text: string) => crc32(text).toString(16).padStart(8, '0') + text

/**
 * Writes a ledger as two owners at once would have left it: every record says what `forge` makes of its author, and all
 * hashes are right.
 */
async function forgeAuthors(
  db: Level<string, string>,
  forge: (position: number, meta: Meta) => Partial<Meta>,
): Promise<void> {
  let prev = '0'.repeat(64)
  const bodyHashes = new Map<string, string>()
  for (const [key, text] of await db.iterator({ gte: 'f/', lt: 'f0' }).all()) {
    const frame = JSON.parse(text) as { position: number; box: string }
    const at = key.slice(2)
    const [bodyKey = ''] = (await db.keys({ gte: `b/${frame.box}/`, lt: `b/${frame.box}0` }).all()).filter(
      found => found.endsWith(at),
    )
    const body = JSON.parse((await db.get(bodyKey)) as string)
    body.prevBody = bodyHashes.get(frame.box) ?? body.prevBody
    body.meta = { ...body.meta, ...forge(frame.position, body.meta) }
    const bodyText = JSON.stringify(body)
    const bodyHash = sha256(bodyText)
    bodyHashes.set(frame.box, bodyHash)
    const frameText = JSON.stringify({ ...frame, prev, bodyHash })
    prev = sha256(frameText)
    await db.batch([
      { type: 'put', key: bodyKey, value: bodyText },
      { type: 'put', key, value: frameText },
    ])
  }
  for (const [key, sealed] of await db.iterator({ gte: 'h/', lt: 'h0' }).all()) {
    const head = JSON.parse(sealed.slice(8))
    await db.put(key, seal(JSON.stringify({ ...head, bodyHash: bodyHashes.get(head.box) })))
  }
}

/** Positions 1 to 3 are of epoch 1, 4 to 6 of epoch 2, 7 to 9 of epoch 3: each time a box and two turns of the first one. */
async function fill(home: string): Promise<void> {
  for (const [n, id] of ['aaaa', 'bbbb', 'cccc'].entries()) {
    const ledger = await open(home, { engine: `test/${n + 1}`, bootId: `boot-${n + 1}` })
    await create(ledger, id)
    for (const name of ['one', 'two'])
      await submit(ledger, 'aaaa', { type: 'box.renamed', name: `${name}${n}` })
    await ledger.close()
  }
}

function forged(
  forge: (position: number, meta: Meta) => Partial<Meta>,
  body: (problems: readonly Problem[], ofBox: readonly Problem[]) => void,
): Promise<void> {
  return withHome(async home => {
    await fill(home)
    await withDatabase(home, db => forgeAuthors(db, forge))
    // It knows the hashes of the ledger as it was.
    await rm(join(home, 'ledger.tail'))
    const ledger = await open(home)
    const { problems } = await ledger.verify({ replay: true })
    const ofBox = await ledger.verify({ box: 'aaaa' })
    body(problems, ofBox.problems)
    await ledger.close()
  })
}

const placesOf = (problems: readonly Problem[]) => problems.map(({ kind, position }) => [kind, position])

test('a ledger of one owner after another is sound', () =>
  forged(
    () => ({}),
    (problems, ofBox) => assert.equal([problems, ofBox], [[], []]),
  ))

test('verify finds an epoch that goes down', () =>
  forged(
    position => (position === 5 ? { epoch: 3, engine: 'test/3', bootId: 'boot-3' } : {}),
    (problems, ofBox) => {
      assert.equal(placesOf(problems), [['epoch', 6]])
      assert.equal(placesOf(ofBox), [['epoch', 6]])
    },
  ))

test('verify finds an older owner that went on under a younger one', () =>
  forged(
    position => (position === 8 ? { epoch: 2, engine: 'test/2', bootId: 'boot-2' } : {}),
    problems => assert.equal(placesOf(problems), [['epoch', 8]]),
  ))

for (const [what, other] of [
  ['engine', { engine: 'test/other' }],
  ['boot', { bootId: 'boot-other' }],
] as const)
  test(`verify finds two owners in one epoch: another ${what}`, () =>
    forged(
      position => (position === 6 ? other : {}),
      (problems, ofBox) => {
        assert.equal(placesOf(problems), [['epoch', 6]])
        assert.equal(placesOf(ofBox), [['epoch', 6]])
      },
    ))

test('verify finds an epoch that nobody has had yet', () =>
  forged(
    position => (position === 9 ? { epoch: 9 } : {}),
    // The next owner has the number after it: it is the journal that has a hole.
    problems => assert.equal(placesOf(problems), [['journal', undefined]]),
  ))

test('two owners in one epoch are found where the journal has lost it, too', () =>
  withHome(async home => {
    await fill(home)
    await withDatabase(home, async db => {
      await forgeAuthors(db, position => (position === 6 ? { engine: 'test/other' } : {}))
      await db.del(`m/owner/${'2'.padStart(14, '0')}`)
    })
    await rm(join(home, 'ledger.tail'))
    const ledger = await open(home)
    const { problems } = await ledger.verify()
    assert.equal(placesOf(problems), [
      ['epoch', 6],
      ['journal', undefined],
    ])
    await ledger.close()
  }))

test.run()
