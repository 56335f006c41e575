// @timeout 240
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { vmmsOf } from './crash/vmms.ts'

const test = suite('engine: a ledger older than its run directories')

const open = (home: string) => BoxRuntime.open({ home, vmm: { binary: instantVmm } })
/** The small guest does not hear its power button. */
const options = { image: smallGuest('idle'), stopTimeoutMs: 200 }

/** Puts the ledger back to how it was when `save` was called, as somebody does who restores a backup of it alone. */
function backup(home: string): { save(): void; restore(): void } {
  const files = ['ledger', 'ledger.tail']
  const kept = join(home, '..', 'backup')
  return {
    save: () => {
      for (const file of files) cpSync(join(home, file), join(kept, file), { recursive: true })
    },
    restore: () => {
      for (const file of files) {
        rmSync(join(home, file), { recursive: true })
        cpSync(join(kept, file), join(home, file), { recursive: true })
      }
    },
  }
}

const eventsOf = async (runtime: BoxRuntime, box: string) => {
  const events: { type: string; incarnation: number }[] = []
  for await (const { event } of runtime.history(box)) events.push(event)
  return events
}

async function end(home: string): Promise<void> {
  await using runtime = await open(home)
  for (const { id } of await runtime.listInfo()) {
    await (await runtime.get(id))?.waitFor(({ recovering, state }) => !recovering && state !== 'unknown')
    await runtime.remove(id, { force: true })
  }
  assert.equal(vmmsOf(home), [])
}

test('a VMM that it does not know is found and taken up; a number is never given twice', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const old = backup(home)
    let pid = 0
    {
      await using first = await open(home)
      const box = await first.create({ ...options, name: 'it' })
      await box.start()
      await box.stop({ mode: 'kill' })
      await first.close()
      old.save()
      await using second = await open(home)
      const again = await second.get('it')
      await again?.start()
      await again?.restart()
      pid = (await again?.info())?.pid ?? 0
    }
    old.restore()
    {
      await using runtime = await open(home)
      const box = await runtime.get('it')
      const info = await box?.waitFor(({ state }) => state === 'running', { timeoutMs: 20_000 })
      assert.equal([info?.pid, info?.incarnation], [pid, 3])
      const { incarnation } = (await eventsOf(runtime, 'it')).find(
        ({ type }) => type === 'incarnation.found',
      ) ?? { incarnation: 0 }
      assert.is(incarnation, 3)
      const report = await runtime.verify({ replay: true })
      assert.equal(report.problems, [])
      await box?.restart()
      assert.is((await box?.info())?.incarnation, 4)
    }
    await end(home)
  }))

test('run directories of VMMs that have ended count as well, for boxes at rest and for others', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const ids: Record<string, string> = {}
    {
      await using first = await open(home)
      for (const name of ['rest', 'up']) {
        const box = await first.create({ ...options, name })
        await box.start()
        ids[name] = box.id
      }
      await (await first.get('rest'))?.stop({ mode: 'kill' })
    }
    for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
    for (const id of Object.values(ids)) mkdirSync(join(home, 'boxes', id, '9'), { mode: 0o700 })
    {
      await using runtime = await open(home)
      const rest = await runtime.get('rest')
      assert.equal((await rest?.info())?.incarnation, 1, 'a box at rest costs no look until it is asked for')
      await rest?.start()
      assert.equal((await rest?.info())?.incarnation, 10)
      const up = await (await runtime.get('up'))?.waitFor('down', { timeoutMs: 20_000 })
      assert.equal([up?.incarnation, up?.state], [9, 'crashed'])
      assert.equal((await runtime.verify({ replay: true })).problems, [])
    }
    await end(home)
  }))

test('a VMM of a box that it does not know is told by verify, and not touched', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const old = backup(home)
    {
      await using first = await open(home)
      await first.create({ ...options, name: 'first' })
      await first.close()
      old.save()
      await using second = await open(home)
      await (await second.create({ ...options, name: 'lost' })).start()
    }
    old.restore()
    const [stray] = vmmsOf(home)
    {
      await using runtime = await open(home)
      const { ok, problems } = await runtime.verify()
      assert.equal([ok, problems.map(({ kind, box }) => [kind, box])], [false, [['stray-vmm', stray?.box]]])
    }
    assert.equal(
      vmmsOf(home).map(({ pid }) => pid),
      [stray?.pid],
    )
    process.kill(stray?.pid ?? 0, 'SIGKILL')
  }))

test.run()
