// @timeout 200
// @idle
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Box, type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { askVmm } from '../support/ask-vmm.ts'
import { eventually as eventuallyIn } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { serve } from './serve.ts'

const test = suite('api: the owner changes')
const vmm = { binary: instantVmm }

const eventually = (condition: () => boolean | Promise<boolean>) =>
  eventuallyIn(condition, { timeoutMs: 20_000 })

interface Home {
  readonly home: string
  readonly client: BoxRuntime
  owner(): BoxRuntime
  /** Ends the owner, does something without one, and opens the home again. */
  change(meanwhile?: () => Promise<unknown>): Promise<void>
}

const withOwner = (use: (home: Home) => Promise<void>): Promise<void> =>
  withTempDir(async home => {
    let owner = await BoxRuntime.open({ home, vmm })
    const client = await BoxRuntime.connect({ home })
    const change: Home['change'] = async meanwhile => {
      await owner.close()
      await meanwhile?.()
      owner = await BoxRuntime.open({ home, vmm })
    }
    try {
      await use({ home, client, owner: () => owner, change })
    } finally {
      await client.close()
      for (const { id } of await owner.listInfo()) await owner.remove(id, { force: true })
      await owner.close()
    }
  })

test('a wait goes on over as many owners as there are, and misses nothing', () =>
  withOwner(async ({ client, owner, change }) => {
    const box = await client.create({ name: 'n', image: smallGuest('idle') })
    await box.start()
    const names: (string | undefined)[] = []
    const wait = box.wait()
    const waitFor = box.waitFor(({ name, state }) => {
      if (name !== names.at(-1)) names.push(name)
      return state === 'stopped'
    })
    await eventually(() => names.length === 1)
    const rounds = Array.from({ length: 12 }, (_, n) => `n${n}`)
    for (const name of rounds) {
      await change()
      await owner().rename(box.id, name)
      await eventually(() => names.at(-1) === name)
    }
    await owner().rename(box.id, 'last')
    await (await owner().get('last'))?.stop({ mode: 'kill' })
    const infos: BoxInfo[] = [await wait, await waitFor]
    assert.equal(
      infos.map(({ state }) => state),
      ['stopped', 'stopped'],
    )
    assert.equal(names, ['n', ...rounds, 'last'])
  }))

test('a wait goes on when its owners are killed, and ends with its own time only', () =>
  withTempDir(async home => {
    let owner = await serve(home)
    await using client = await BoxRuntime.connect({ home })
    const box = await client.create({ image: smallGuest('idle') })
    await box.start()
    const wait = box.wait()
    const limited = box.waitFor('down', { timeoutMs: 1 }).catch(error => error.code)
    assert.is(await limited, 'ABORTED')
    for (let round = 0; round < 5; round += 1) {
      await owner.end('SIGKILL')
      owner = await serve(home)
      assert.is((await client.listInfo()).length, 1)
    }
    await box.stop({ mode: 'kill' })
    assert.is((await wait).state, 'stopped')
    await box.remove()
    await owner.end('SIGTERM')
  }))

/** Serial output of the ticking guest, by boots: how many ticks of each are there. Fails if one is missing or doubled. */
const boots = (text: string): number[] => {
  const ticks = text.split(/guest: hello.*\n/).map(boot => [...boot.matchAll(/guest: tick (\d+)\n/g)])
  for (const boot of ticks)
    assert.equal(
      boot.map(([, n]) => Number(n)),
      boot.map((_, n) => n),
      text,
    )
  return ticks.slice(1).map(boot => boot.length)
}

const followed = (box: Box) => {
  let text = ''
  const done = (async () => {
    for await (const bytes of box.console({ follow: true })) text += Buffer.from(bytes).toString()
  })()
  return { text: () => text, done }
}

test('a console goes on after a reboot of the guest and other owners, without a gap and without doubling', () =>
  withOwner(async ({ home, client, owner, change }) => {
    const box = await client.create({ name: 'x', image: smallGuest('tick') })
    await box.start()
    const reboot = () => askVmm(join(home, 'boxes', box.id, '1'), 'vm.reboot')
    const seen = followed(box)
    const ticks = (boot: number) => boots(seen.text())[boot] ?? -1
    await eventually(() => ticks(0) >= 4)
    await reboot()
    await eventually(() => ticks(1) >= 1)
    await change()
    await eventually(() => ticks(1) >= 4)
    // One that begins now reads this boot, and goes on with the other.
    const late = followed(box)
    await eventually(() => (boots(late.text())[0] ?? 0) >= 4)
    await change(async () => {
      await reboot()
      // Longer than what was read before: its length tells nothing.
      await eventually(async () => (await boot(home, box.id)) >= ticks(1) + 3)
    })
    await eventually(() => ticks(2) >= 1)
    await change()
    await change()
    const enough = ticks(2) + 2
    await eventually(() => ticks(2) >= enough && late.text() !== '')
    await (await owner().get('x'))?.stop({ mode: 'kill' })
    await Promise.all([seen.done, late.done])
    assert.is(boots(seen.text()).length, 3)
    assert.is(boots(late.text()).length, 2)
    assert.ok(seen.text().endsWith(late.text().slice(late.text().lastIndexOf('guest: hello'))))
  }))

/** Ticks of the present boot, as its file has them. */
const boot = async (home: string, id: string): Promise<number> => {
  const text = await readFile(join(home, 'boxes', id, '1', 'serial.log'), 'utf8')
  return boots(text)[0] ?? 0
}

test('a console stays with its incarnation when the next one begins under another owner', () =>
  withOwner(async ({ client, owner, change }) => {
    const box = await client.create({ name: 'x', image: smallGuest('tick') })
    await box.start()
    const seen = followed(box)
    await eventually(() => (boots(seen.text())[0] ?? 0) >= 2)
    await change()
    await (await owner().get('x'))?.restart()
    await seen.done
    assert.is(boots(seen.text()).length, 1)
    assert.is((await box.info()).incarnation, 2)
  }))

test('a stream by name stays with its box, whoever has the name by then', () =>
  withOwner(async ({ client, owner, change }) => {
    const first = await client.create({ name: 'web' })
    const records: LedgerRecord[] = []
    const left = new AbortController()
    const following = (async () => {
      for await (const record of client.events({ box: 'web', follow: true, signal: left.signal }))
        records.push(record)
    })().catch(error => error.code)
    await eventually(() => records.length === 1)
    await owner().rename('web', 'old')
    const second = await owner().create({ name: 'web' })
    await change()
    await owner().rename(second.id, 'web2')
    await owner().rename('old', 'older')
    await eventually(() => records.length === 3)
    await owner().remove(first.id)
    await eventually(() => records.at(-1)?.to === 'removed')
    await change()
    await owner().rename('web2', 'web')
    left.abort()
    assert.is(await following, 'ABORTED')
    assert.equal(new Set(records.map(({ box }) => box)), new Set([first.id]))
    assert.equal(
      records.map(({ version }) => version),
      records.map((_, n) => n + 1),
    )
  }))

test('actors and observables show what other owners have done', () =>
  withOwner(async ({ home, client, owner, change }) => {
    const box = await client.create({ name: 'x', image: smallGuest('idle') })
    const { actor } = box
    const shown: string[] = []
    const states: string[] = []
    const listed: string[] = []
    actor.subscribe(({ context, value }) => shown.push(`${context.name} ${JSON.stringify(value)}`))
    box.state$.subscribe(({ name, state, version }) => states.push(`${version} ${name} ${state}`))
    client.boxes$.subscribe(infos => listed.push(infos.map(({ name }) => name).join()))
    await eventually(() => states.length === 1 && listed.length > 0)
    await change()
    await owner().rename('x', 'y')
    const there = await owner().get('y')
    await there?.start()
    await change(async () => {
      const between = await BoxRuntime.open({ home, vmm })
      await between.rename('y', 'z')
      await between.close()
    })
    await eventually(() => actor.getSnapshot().context.name === 'z' && listed.at(-1) === 'z')
    assert.ok(actor.getSnapshot().matches('running'))
    const { version } = await box.info()
    assert.is(shown.length, version - 1, shown.join('\n'))
    const versions = states.map(state => Number(state.split(' ')[0]))
    assert.equal(
      [...new Set(versions)],
      Array.from({ length: version }, (_, n) => n + 1),
    )
  }))

test.run()
