// @timeout 240
import { cpSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, type BoxInfo, BoxRuntime, type ErrorCode } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

const vmm = { binary: instantVmm }
const image = smallGuest('idle')

const codeOf = (work: Promise<unknown>): Promise<ErrorCode | undefined> =>
  work.then(
    () => undefined,
    error => (BoxError.is(error) ? error.code : undefined),
  )

/** A home with a box that is up, one that is down, and one that was never started; its owner has closed it. */
async function makeHome(home: string): Promise<{ up: string; pid: number }> {
  await using runtime = await BoxRuntime.open({ home, vmm })
  const up = await runtime.create({ name: 'up', image, restart: { policy: 'always' } })
  await up.start()
  const down = await runtime.create({ name: 'down', image, autoRemove: false })
  await down.start()
  await down.stop({ mode: 'kill' })
  await runtime.create({ name: 'new', image, detach: false })
  return { up: up.id, pid: (await up.info()).pid ?? 0 }
}

async function removeAll(home: string): Promise<void> {
  await using runtime = await BoxRuntime.open({ home, vmm })
  for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
  assert.equal(vmmsOf(home), [])
}

for (const way of ways) {
  const test = suite(`api: a copied home, ${way.name}`)

  test('is history until it is adopted, and leaves the VMMs of the home alone', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const copy = join(dir, 'copy')
      const { up, pid } = await makeHome(home)
      cpSync(home, copy, { recursive: true, filter: path => !path.endsWith('.sock') })
      {
        await using opened = await way.open({ home: copy, vmm })
        const { runtime } = opened
        const infos = await runtime.listInfo()
        assert.equal(
          infos.map(({ name, state, inert, recovering }) => [name, state, inert, recovering]),
          [
            ['new', 'configured', true, false],
            ['down', 'stopped', true, false],
            ['up', 'running', true, false],
          ],
        )
        const position = (await runtime.verify()).records
        const box = await runtime.get('up')
        const works = [
          () => runtime.create({ name: 'more' }),
          () => box?.start(),
          () => box?.stop(),
          () => runtime.rename('down', 'other'),
          () => runtime.remove('down'),
          () => runtime.resolve('up', 'dead'),
        ]
        for (const work of works) assert.is(await codeOf(Promise.resolve(work())), 'INVALID_STATE')
        assert.is((await runtime.verify({ replay: true })).records, position, 'nothing was recorded')

        await runtime.adopt()
        await runtime.adopt()
        const adopted = await (await runtime.get('up'))?.waitFor(({ recovering }) => !recovering)
        // Two VMMs with one identity and the same disks must never be.
        assert.equal([adopted?.state, adopted?.inert], ['unknown', undefined])
        assert.equal(
          vmmsOf(home).map(({ pid }) => pid),
          [pid],
        )
        process.kill(pid, 'SIGKILL')
        const isUpAgain = ({ restarts, state }: BoxInfo) => restarts === 1 && state === 'running'
        const again = await (await runtime.get('up'))?.waitFor(isUpAgain, { timeoutMs: 30_000 })
        assert.is(again?.incarnation, 2, 'its policy starts it again, in its new home')
        await (await runtime.get('down'))?.start()
        assert.equal(vmmsOf(copy).length, 2)
      }
      assert.equal(vmmsOf(home), [])
      await using later = await BoxRuntime.open({ home: copy, vmm })
      const there = await (await later.get(up))?.waitFor(({ recovering }) => !recovering)
      assert.equal([there?.inert, there?.state], [undefined, 'running'], 'adopted once, at home for good')
      await later.close()
      await removeAll(copy)
      await removeAll(home)
    }))

  test.run()
}

const test = suite('api: homes that move')

test('a home that was put back from a copy, at its old path, is a copy too', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await makeHome(home)
    renameSync(home, join(dir, 'old'))
    mkdirSync(home, { mode: 0o700 })
    cpSync(join(dir, 'old'), home, { recursive: true, filter: path => !path.endsWith('.sock') })
    {
      await using runtime = await BoxRuntime.open({ home, vmm })
      assert.is((await runtime.getInfo('down'))?.inert, true)
    }
    for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
  }))

test('a home that was renamed is the same home', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await using first = await BoxRuntime.open({ home, vmm })
    await first.create({ name: 'it', image })
    await first.close()
    const moved = join(dir, 'moved')
    renameSync(home, moved)
    {
      await using second = await BoxRuntime.open({ home: moved, vmm })
      const box = await second.get('it')
      await box?.start()
      assert.is((await box?.info())?.state, 'running')
    }
    await removeAll(moved)
  }))

test.run()
