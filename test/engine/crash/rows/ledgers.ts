import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, type BoxInfo, BoxRuntime, type ErrorCode } from 'boxledger'
import { step, type Transition } from 'boxledger/machines'
import { openLedger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { damage } from '../../../api/damage.ts'
import { withTempDir } from '../../../support/tmp.ts'
import { killAndCheck } from '../kill.ts'
import { append } from '../ledger-edits.ts'
import { type Binary, small, started } from '../scenario.ts'
import { vmmsOf } from '../vmms.ts'
import { type Row, typesOf } from './row.ts'

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | undefined> =>
  work.then(
    () => undefined,
    error => (BoxError.is(error) ? error.code : undefined),
  )

/** A home whose ledger has lost its end in a crash of the host, synced or not. */
async function withLostEnd(durability: 'sync' | 'process', look: (home: string) => Promise<void>) {
  await withTempDir(async dir => {
    const home = join(dir, 'home')
    const ledger = await openLedger({
      home,
      bootId: '00000000-0000-0000-0000-000000000001',
      engine: 'test',
      durability,
      now: () => Date.now(),
    })
    const id = 'abcdefghijkl'
    const spec = {
      ...{ cpus: 1, memoryMib: 64, autoRemove: false, detach: true, stopTimeoutMs: 200 },
      restart: { policy: 'no' },
    } as const
    const created = { type: 'box.created', id, name: 'it', labels: {}, spec } as const
    const at = Date.now()
    const transition = step(undefined, created, { at, version: 1 }) as Transition
    await ledger.append({ box: id, expectedVersion: 0, transition, at, meta: {} })
    cpSync(join(home, 'ledger'), join(dir, 'before'), { recursive: true })
    await append(ledger, id, { type: 'start.requested' })
    await ledger.close()
    rmSync(join(home, 'ledger'), { recursive: true })
    cpSync(join(dir, 'before'), join(home, 'ledger'), { recursive: true })
    await look(home)
  })
}

/** A start whose spawn cannot be recorded at first, though it may be in the ledger all the same. */
async function startOver(binary: Binary, written: boolean): Promise<void> {
  await withTempDir(async home => {
    let fails: boolean | undefined
    await using runtime = await BoxRuntime.open({
      home,
      vmm: { binary },
      seams: {
        boundary: point => {
          // Once: what has to be recorded is tried again.
          if (point === 'before append vmm.spawned') fails ??= true
        },
        async aroundFlush(flush) {
          const isLost = fails && !written
          if (!isLost) await flush()
          if (fails) {
            fails = false
            throw new Error('The disk has failed, for the test')
          }
        },
      },
    })
    const box = await started(runtime)
    const { pid, state } = await box.info()
    assert.equal([state, vmmsOf(home).map(({ pid }) => pid)], ['running', [pid]])
    const records = []
    for await (const record of runtime.history(box.id)) records.push(record)
    assert.is(typesOf(records).filter(type => type === 'vmm.spawned').length, 1)
    assert.equal((await runtime.verify({ replay: true })).problems, [])
    await box.remove({ force: true })
  })
}

/** The ledger is not as the engine has left it, or is another's. */
export const ledgers: readonly Row[] = [
  {
    row: 37,
    when: 'and the host crashes: what was not synced may be lost, and what was synced is missed if it is',
    kills: [],
    async run() {
      await withLostEnd('process', async home => {
        await using runtime = await BoxRuntime.open({ home })
        const infos = await runtime.listInfo()
        assert.equal(
          infos.map(({ state, version }) => [state, version]),
          [['configured', 1]],
        )
        assert.equal((await runtime.verify({ replay: true })).problems, [])
      })
      await withLostEnd('sync', async home => {
        assert.is(await codeOf(BoxRuntime.open({ home })), 'LEDGER_CORRUPT')
      })
    },
  },
  {
    row: 38,
    when: 'and the ledger loses its end, but no run directory: no number is given twice',
    kills: [],
    real: true,
    async run(binary) {
      const { boxes, records } = await killAndCheck(binary, {
        scenario: 'incarnations that the ledger has lost',
      })
      assert.equal(
        boxes.map(({ state, incarnation }) => [state, incarnation]),
        [['running', 10]],
      )
      assert.ok(typesOf(records).includes('incarnation.found'))
    },
  },
  {
    row: 39,
    when: 'and a record in the middle is lost: its box is parked, and no other',
    kills: [],
    real: true,
    async run(binary) {
      await withTempDir(async home => {
        const vmm = { binary }
        const ids: string[] = []
        {
          await using runtime = await BoxRuntime.open({ home, vmm })
          for (const name of ['bad', 'good']) ids.push((await started(runtime, { ...small(), name })).id)
        }
        const [bad = '', good = ''] = ids
        await damage(home, `b/${bad}/00000000000003/`)
        await damage(home, `h/${bad}`)
        const before = vmmsOf(home).map(({ pid }) => pid)
        await using runtime = await BoxRuntime.open({ home, vmm })
        await (await runtime.get(good))?.waitFor(info => info.state === 'running' && !info.recovering)
        assert.ok((await runtime.getInfo(bad))?.parked)
        assert.is(await codeOf((await runtime.get(bad))?.stop() as Promise<void>), 'LEDGER_CORRUPT')
        await runtime.remove(good, { force: true })
        const left = vmmsOf(home)
        assert.equal(
          left.map(({ box, pid }) => [box, before.includes(pid)]),
          [[bad, true]],
          'its VMM is left alone',
        )
        for (const { pid } of left) process.kill(pid, 'SIGKILL')
      })
    },
  },
  {
    row: 40,
    when: 'not, but a write is rejected after an effect, be it lost or there: it is recorded once, and the start goes on',
    kills: [],
    real: true,
    async run(binary) {
      for (const written of [true, false]) await startOver(binary, written)
    },
  },
  {
    row: 41,
    when: 'not, and no other gets its home: it is named',
    kills: [],
    async run() {
      await withTempDir(async home => {
        await using runtime = await BoxRuntime.open({ home })
        await runtime.create(small())
        const second: unknown = await BoxRuntime.open({ home }).catch(error => error)
        assert.ok(BoxError.is(second, 'ENGINE_LOCKED'))
        assert.is(second.details.pid, process.pid)
        const [info] = (await runtime.listInfo()) as [BoxInfo]
        assert.is(info.state, 'configured')
      })
    },
  },
]
