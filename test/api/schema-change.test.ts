// @timeout 120
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { BoxError, BoxRuntime, type LedgerRecord } from 'boxledger'
import {
  type BoxEvent,
  type BoxSpec,
  isRefusal,
  type Schema,
  schema,
  step,
  type Told,
} from 'boxledger/machines'
import { type Ledger, openLedger, repairLedger } from 'boxledger/store'
import { Level } from 'level'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { ways } from './ways.ts'

/** How a release wrote that came before this one: names were titles, and their event had another shape. */
const old: Schema = { ...schema, versions: { ...schema.versions, 'box.titled': 1 } }

/** This one, if it had come after that. */
const grown: Schema = {
  level: 2,
  versions: { ...schema.versions, 'box.renamed': 2 },
  upcasters: {
    'box.titled@1': titled => ({
      ...titled,
      event: { ...rest(titled), type: 'box.renamed', v: 2, name: titled.event.title },
    }),
    'box.renamed@1': renamed => ({ ...renamed, event: { ...renamed.event, v: 2 } }),
  },
}

function rest({ event: { title: _, ...event } }: Told): Record<string, unknown> {
  return event
}

const spec: BoxSpec = {
  cpus: 1,
  memoryMib: 128,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 10_000,
}

const open = (home: string, as: Schema): Promise<Ledger> =>
  openLedger({ home, bootId: 'boot', engine: 'test/0', now: () => 1_700_000_000_000, schema: as })

/** Appends what comes of an event, with the event as it was written then. */
async function append(ledger: Ledger, box: string, event: BoxEvent, stored: object = event): Promise<void> {
  const head = ledger.head(box)
  const at = 1_700_000_000_000
  const version = (head?.version ?? 0) + 1
  const transition = step(head?.state, event, { at, version })
  if (isRefusal(transition)) throw new Error('refused')
  const told = { ...transition, event: { incarnation: 0, ...stored } } as typeof transition
  await ledger.append({ box, expectedVersion: version - 1, transition: told, at, meta: {} })
}

/** A home that the older release has left: a box that lives, and one that is gone. */
async function makeOldHome(home: string): Promise<void> {
  const ledger = await open(home, old)
  for (const id of ['lives0000000', 'gone00000000']) {
    await append(ledger, id, { type: 'box.created', id, name: null, labels: {}, spec })
    const titled = { type: 'box.titled', title: `t-${id}` }
    await append(ledger, id, { type: 'box.renamed', name: `t-${id}` }, titled)
    await append(ledger, id, { type: 'box.renamed', name: `n-${id}` })
  }
  await append(ledger, 'gone00000000', { type: 'remove.requested', force: false })
  await append(ledger, 'gone00000000', { type: 'box.removed', incarnation: 0 })
  await ledger.close()
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function errorOf(work: Promise<unknown>): Promise<BoxError> {
  const error = await work.then(
    () => undefined,
    reason => reason as unknown,
  )
  assert.ok(BoxError.is(error), String(error))
  return error
}

async function linesOf(home: string, as: Schema): Promise<string[]> {
  const ledger = await open(home, as)
  try {
    return (await all(ledger.export())).flat()
  } finally {
    await ledger.close()
  }
}

async function withDatabase(home: string, body: (db: Level<string, string>) => Promise<void>): Promise<void> {
  const db = new Level<string, string>(join(home, 'ledger'))
  await db.open()
  await body(db).finally(() => db.close())
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

const eventsOf = (records: readonly LedgerRecord[]) => records.map(({ event }) => event)

for (const way of ways) {
  const test = suite(`api: a change of the schema, ${way.name}`)

  test('old events are read in the new shape everywhere, and exported as they are stored', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      await makeOldHome(home)
      const before = await linesOf(home, old)
      {
        await using opened = await way.open({ home, seams: { schema: grown } })
        const { runtime } = opened
        const renamed = [
          { incarnation: 0, type: 'box.renamed', name: 't-lives0000000' },
          { incarnation: 0, type: 'box.renamed', name: 'n-lives0000000' },
        ]
        const history = await all(runtime.history('lives0000000'))
        assert.equal(eventsOf(history).slice(1), renamed)
        const types = ['box.renamed']
        assert.equal(eventsOf(await all(runtime.events({ box: 'lives0000000', types }))), renamed)
        assert.is((await all(runtime.events({ types }))).length, 4)
        assert.equal((await runtime.verify({ replay: true })).problems, [])
        assert.equal((await runtime.verify()).problems, [])
        assert.equal(await all(runtime.exportLedger()), before)
        // What it writes itself has the new version, and is read without it.
        await runtime.rename('lives0000000', 'later')
        const lines = await all(runtime.exportLedger())
        assert.match(
          lines.at(-2) as string,
          /"event":\{"incarnation":0,"type":"box.renamed","name":"later","v":2\}/,
        )
        assert.equal(eventsOf(await all(runtime.history('lives0000000'))).at(-1), {
          ...{ incarnation: 0, type: 'box.renamed', name: 'later' },
        })
        assert.equal((await runtime.verify({ replay: true })).problems, [])
      }
      await using other = await way.open({ home: join(dir, 'other'), seams: { schema: grown } })
      await other.runtime.importLedger(each(before))
      assert.is((await other.runtime.getInfo('lives0000000'))?.name, 'n-lives0000000')
      assert.equal((await other.runtime.verify({ replay: true })).problems, [])
      assert.equal(await all(other.runtime.exportLedger()), before)
    }))

  test.run()
}

const test = suite('api: schemas')

test('once a newer release has opened a home, an older one refuses it, and names both', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await makeOldHome(home)
    await (await open(home, grown)).close()
    for (const refused of [
      () => BoxRuntime.open({ home }),
      () => open(home, old),
      () => repairLedger({ home, target: join(dir, 'repaired'), engine: 'test/0', now: Date.now }),
    ]) {
      const { code, message, details } = await errorOf(refused())
      assert.is(code, 'FORMAT_UNSUPPORTED')
      assert.equal([details.schema, details.supported, details.engine], [2, 1, 'test/0'])
      assert.match(message, /schema 2.*up to 1/)
    }
    await (await open(home, grown)).close()
  }))

test('a record that is newer than the release is refused, wherever it is met', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await makeOldHome(home)
    const unknown = await errorOf(BoxRuntime.open({ home }))
    assert.equal([unknown.code, unknown.details.type], ['FORMAT_UNSUPPORTED', 'box.titled'])
    assert.equal([unknown.details.version, unknown.details.supported], [1, 0])
    const lines = await linesOf(home, old)
    await using runtime = await BoxRuntime.open({ home: join(dir, 'new') })
    const refused = await errorOf(runtime.importLedger(each(lines)))
    assert.equal([refused.code, refused.details.type], ['FORMAT_UNSUPPORTED', 'box.titled'])
    assert.equal(await runtime.listInfo(), [])

    const ledger = await open(join(dir, 'grown'), grown)
    const id = 'lives0000000'
    await append(ledger, id, { type: 'box.created', id, name: null, labels: {}, spec })
    await append(ledger, id, { type: 'box.renamed', name: 'x' })
    const newer = (await all(ledger.export())).flat()
    await ledger.close()
    const later = await errorOf(runtime.importLedger(each(newer)))
    assert.equal([later.code, later.details.type], ['FORMAT_UNSUPPORTED', 'box.renamed'])
    assert.equal([later.details.version, later.details.supported], [2, 1])
  }))

test('heads of an older shape are folded anew when the schema is raised, also after a crash in the middle', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await makeOldHome(home)
    const heads = async (as: Schema) => {
      const ledger = await open(home, as)
      const found = [ledger.head('lives0000000'), await ledger.removedHead('gone00000000')]
      await ledger.close()
      return found
    }
    const before = await heads(old)
    // As a machine would have written them that knew of no reboots, and called its names otherwise.
    await withDatabase(home, async db => {
      for (const key of ['h/lives0000000', 'r/gone00000000']) {
        const head = JSON.parse(((await db.get(key)) as string).slice(8))
        head.state.context.title = head.state.context.name
        delete head.state.context.reboots
        delete head.state.context.name
        const text = JSON.stringify(head)
        await db.put(key, crc32(text).toString(16).padStart(8, '0') + text)
      }
    })
    let steps = 0
    const cut = await openLedger({
      ...{ home, bootId: 'boot', engine: 'test/0', now: () => 0, schema: grown },
      boundary: point => {
        if (point === 'after mending a head' && ++steps === 1) throw new Error('cut off here')
      },
    }).catch((error: unknown) => error)
    assert.match(String(cut), /cut off here/)
    assert.is((await errorOf(open(home, old))).code, 'FORMAT_UNSUPPORTED')
    assert.equal(await heads(grown), before)
    const ledger = await open(home, grown)
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    assert.equal([...ledger.parked.keys()], [])
    await ledger.close()
  }))

test.run()
