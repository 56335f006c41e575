import { BoxError, type BoxInfo, type BoxRuntime } from 'boxledger'
import { firstValueFrom, from, map, takeWhile, toArray } from 'rxjs'
import * as assert from 'uvu/assert'
import { type InspectionEvent, waitFor } from 'xstate'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { embedded, type Way, ways } from './ways.ts'

const image = smallGuest('idle')
const at = 0

const withRuntime = (
  way: Way,
  use: (runtime: BoxRuntime) => Promise<void>,
  options: { readonly inspect?: (event: InspectionEvent) => void } = {},
) =>
  withTempDir(async home => {
    const opened = await way.open({ home, vmm: { binary: instantVmm }, ...options })
    const { runtime } = opened
    try {
      await use(runtime)
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await opened[Symbol.asyncDispose]()
      assert.equal(vmmsOf(home), [])
    }
  })

for (const way of ways) {
  const test = suite(`api: a box as an XState actor, ${way.name}`)

  test("XState's waitFor, and matches, can, hasTag of what it gives", () =>
    withRuntime(way, async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      const { actor } = box
      assert.is(actor, box.actor)
      const before = actor.getSnapshot()
      assert.ok(before.matches('configured'))
      assert.ok(before.hasTag('down'))
      assert.ok(before.can({ type: 'start.requested', at }))
      assert.not.ok(before.can({ type: 'pause.requested', at }))

      const [running] = await Promise.all([
        waitFor(actor, snapshot => snapshot.matches('running'), { timeout: 20_000 }),
        box.start(),
      ])
      assert.ok(running.hasTag('up'))
      assert.not.ok(running.can({ type: 'start.requested', at }))
      assert.ok(running.can({ type: 'pause.requested', at }))
      assert.is(running.context.incarnation, 1)
      await box.stop()
      assert.ok(actor.getSnapshot().matches('stopped'))
      await runtime.rename(box.id, 'called')
      assert.is(actor.getSnapshot().context.name, 'called')
    }))

  test('subscribe and RxJS see every committed state in order', () =>
    withRuntime(way, async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      const seen: string[] = []
      const subscription = box.actor.subscribe(snapshot => seen.push(JSON.stringify(snapshot.value)))
      const viaRxJs = firstValueFrom(
        from(box.actor).pipe(
          map(snapshot => snapshot.value),
          takeWhile(value => value !== 'removed', true),
          map(value => JSON.stringify(value)),
          toArray(),
        ),
      )
      await box.start()
      await box.stop()
      const last = await box.info()
      await box.remove()
      assert.equal(await viaRxJs, seen)
      assert.is(seen.at(-1), '"removed"')
      // One emission a record: what came after the box was created, and nothing that is not in the ledger.
      let records = 0
      for await (const _ of runtime.history(box.id)) records += 1
      assert.is(seen.length, records - 1)
      assert.ok(last.version < records)
      subscription.unsubscribe()
    }))

  test('send hands a command to the box; a fact is refused', () =>
    withRuntime(way, async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      box.actor.send({ type: 'start.requested', at })
      await box.waitFor('up', { timeoutMs: 20_000 })
      box.actor.send({ type: 'stop.requested', mode: 'kill', at })
      const down: BoxInfo = await box.waitFor('down', { timeoutMs: 20_000 })
      assert.is(down.ending?.cause, 'requested')

      const { version } = down
      for (const fact of ['guest.ready', 'vmm.exited', 'box.created', 'nonsense']) {
        try {
          box.actor.send({ type: fact, incarnation: 1, at } as never)
          assert.unreachable(fact)
        } catch (error) {
          assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), String(error))
        }
      }
      // A command that is not accepted is a refusal, which nobody hears of and nothing records.
      box.actor.send({ type: 'pause.requested', at })
      await box.restart()
      for await (const record of box.events({ types: ['pause.requested'] })) assert.unreachable(record.hash)
      assert.ok((await box.info()).version > version)
    }))

  test('what is sent is a command of its own fields, and nothing else is recorded', () =>
    withRuntime(way, async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      const bad = [
        { type: 'box.renamed', name: '../no name' },
        { type: 'box.renamed' },
        { type: 'stop.requested', mode: 'gently' },
        { type: 'stop.requested', mode: 'force', timeoutMs: -1 },
        { type: 'remove.requested', force: 'yes' },
        { type: 'box.resolved', verdict: 'alive' },
        null,
      ]
      for (const event of bad) assert.throws(() => box.actor.send(event as never), /./)
      box.actor.send({ type: 'start.requested', at, offset: 12_345, incarnation: 77 } as never)
      await box.waitFor('up', { timeoutMs: 20_000 })
      for await (const { event } of box.events({ types: ['start.requested', 'box.renamed'] }))
        assert.equal(event, { type: 'start.requested', incarnation: 1 })
    }))

  test('an actor ends with its box', () =>
    withRuntime(way, async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      await box.start()
      assert.ok(box.actor.getSnapshot().matches('running'), 'one that is first asked for now begins with now')
      await box.stop()
      const ended = new Promise<void>(resolve => box.actor.subscribe({ complete: resolve }))
      await box.remove()
      await ended
      assert.throws(
        () => box.actor,
        (error: unknown) => BoxError.is(error, 'NOT_FOUND'),
      )
    }))

  test('an actor ends with the runtime', () =>
    withTempDir(async home => {
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const box = await opened.runtime.create({ image })
      const { actor } = box
      const ended = new Promise<void>(resolve => actor.subscribe({ complete: resolve }))
      await opened.runtime.close()
      await ended
      assert.throws(
        () => box.actor,
        (error: unknown) => BoxError.is(error, 'ENGINE_CLOSED'),
      )
    }))

  test.run()
}

const test = suite('api: inspection')

test('inspect sees boxes and their drivers, as inspectors expect it', async () => {
  const events: InspectionEvent[] = []
  const systemIdOf = ({ actorRef }: InspectionEvent) =>
    (actorRef as { readonly systemId?: string }).systemId ?? ''
  await withRuntime(
    embedded,
    async runtime => {
      const box = await runtime.create({ image, stopTimeoutMs: 0 })
      const { actor } = box
      await box.start()
      await box.stop()
      await box.start()

      const of = (systemId: string) => events.filter(event => systemIdOf(event) === systemId)
      const typesOf = (systemId: string) => new Set(of(systemId).map(({ type }) => type))
      const all = ['@xstate.actor', '@xstate.event', '@xstate.snapshot']
      const ids = [`box/${box.id}`, `vmm/${box.id}/1`, `vmm/${box.id}/2`]
      for (const id of ids) assert.ok(typesOf(id).has('@xstate.actor'), id)
      for (const type of all) {
        assert.ok(typesOf(ids[0] ?? '').has(type as InspectionEvent['type']), `${ids[0]} ${type}`)
        assert.ok(typesOf(ids[1] ?? '').has(type as InspectionEvent['type']), `${ids[1]} ${type}`)
      }
      assert.is(of(ids[0] ?? '')[0]?.actorRef, actor)
      // What an inspector shows: where it belongs, what came, and what it is now.
      const roots = new Set(events.map(({ rootId }) => rootId))
      assert.is(roots.size, 1)
      for (const event of events) {
        assert.type(event.actorRef.sessionId, 'string')
        if (event.type === '@xstate.event') assert.type(event.event.type, 'string')
        if (event.type !== '@xstate.snapshot') continue
        assert.ok(event.snapshot)
        assert.type(event.event.type, 'string')
      }
      const states = of(ids[0] ?? '').flatMap(event =>
        event.type === '@xstate.snapshot' ? [(event.snapshot as { readonly value?: unknown }).value] : [],
      )
      assert.equal(states.at(-1), actor.getSnapshot().value)
    },
    { inspect: event => events.push(event) },
  )
})

test.run()
