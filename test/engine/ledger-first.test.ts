import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { vmmsOf } from './crash/vmms.ts'

const test = suite('engine: ledger first')

/** A ledger whose flushes wait, once it is shut, until they are let through one by one. */
function gate() {
  const held: (() => void)[] = []
  let shut = false
  return {
    close() {
      shut = true
    },
    letOneThrough() {
      held.shift()?.()
    },
    open() {
      shut = false
      for (const go of held.splice(0)) go()
    },
    get waiting() {
      return held.length
    },
    async aroundFlush(flush: () => Promise<void>) {
      if (shut) await new Promise<void>(resolve => held.push(resolve))
      await flush()
    },
  }
}

const turns = async (n: number) => {
  for (let turn = 0; turn < n; turn += 1) await new Promise(resolve => setImmediate(resolve))
}

test('while a flush is held nothing is published, answered or spawned', () =>
  withTempDir(async home => {
    const flushes = gate()
    const crossed: string[] = []
    const runtime = await BoxRuntime.open({
      home,
      vmm: { binary: instantVmm },
      seams: { aroundFlush: flush => flushes.aroundFlush(flush), boundary: name => crossed.push(name) },
    })
    const box = await runtime.create({ name: 'held', image: smallGuest('idle') })
    const published: string[] = []
    runtime.changes$.subscribe(info => published.push(info.state))
    box.state$.subscribe(info => published.push(`state$ ${info.state}`))
    box.actor.subscribe(snapshot => published.push(`actor ${JSON.stringify(snapshot.value)}`))
    const followed: string[] = []
    const stop = new AbortController()
    const following = (async () => {
      for await (const { event } of runtime.events({ from: 2, follow: true, signal: stop.signal }))
        followed.push(event.type)
    })().catch(() => {})
    published.length = 0
    crossed.length = 0

    // Each of the start's records is held in turn: nothing of it shows until it is let through.
    for (const type of ['start.requested', 'start.stage', 'start.stage', 'vmm.spawned']) {
      if (type === 'start.requested') {
        flushes.close()
        void box.start()
      }
      await eventually(() => flushes.waiting === 1, { what: `${type} at the disk` })
      const seen = { published: [...published], followed: [...followed], crossed: [...crossed] }
      const before = await runtime.getInfo('held')
      const spawned = vmmsOf(home).length
      await turns(200)
      assert.equal({ published, followed, crossed }, seen, `${type} is not published`)
      assert.equal(await runtime.getInfo('held'), before, `${type} is not looked up`)
      assert.is(vmmsOf(home).length, spawned, `${type} spawns nothing`)
      if (type !== 'vmm.spawned') {
        assert.is(spawned, 0)
        assert.not.ok(
          readdirSync(home).includes('boxes') && readdirSync(join(home, 'boxes', box.id)).includes('1'),
        )
      }
      flushes.letOneThrough()
      await eventually(() => crossed.length > seen.crossed.length, { what: `${type} to be published` })
    }
    flushes.open()
    await box.waitFor('up')

    flushes.close()
    let answered = false
    const renaming = runtime.rename('held', 'other').then(() => {
      answered = true
    })
    await eventually(() => flushes.waiting === 1)
    await turns(200)
    assert.not.ok(answered)
    assert.is(box.name, 'held')
    assert.not.ok(await runtime.exists('other'))
    flushes.open()
    await renaming
    assert.ok(await runtime.exists('other'))

    await box.remove({ force: true })
    stop.abort()
    await following
    await runtime.close()
  }))

test.run()
