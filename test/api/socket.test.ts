// @timeout 300
// @idle
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BoxError, type BoxInfo, BoxRuntime, type ErrorCode, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { waitFor } from 'xstate'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { serve } from './serve.ts'

const test = suite('api: the owner’s socket')
const image = smallGuest('idle')

const rejects = async (code: ErrorCode, work: Promise<unknown>): Promise<BoxError> => {
  const error = await work.then(
    () => undefined,
    error => error,
  )
  assert.ok(BoxError.is(error, code), `${code}, not ${error}`)
  return error
}

/** Asks for a stream as any program could, and leaves its bytes where they are. */
const unread = (home: string, path: string, args: unknown[]): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(home, 'owner.sock'), path, method: 'POST', agent: false })
    asked.once('response', resolve).once('error', reject)
    asked.end(JSON.stringify(args))
  })

const isDense = (records: readonly LedgerRecord[]): void =>
  assert.equal(
    records.map(({ position }) => position),
    records.map((_, n) => n + 1),
  )

test('without an owner: NO_OWNER, at once, and nothing is made', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await rejects('NO_OWNER', BoxRuntime.connect({ home }))
    assert.not.ok(existsSync(home))
    await rejects('INVALID_ARGUMENT', BoxRuntime.connect({ home, colour: 'red' } as never))
  }))

test('the socket is its owner’s alone, replaces what a dead owner left, and goes with it', () =>
  withTempDir(async home => {
    const path = join(home, 'owner.sock')
    writeFileSync(path, '')
    const owner = await BoxRuntime.open({ home })
    const found = statSync(path)
    assert.ok(found.isSocket())
    assert.is(found.mode & 0o777, 0o600)
    await owner.close()
    assert.not.ok(existsSync(path))
  }))

test('errors keep code, message, details and retryable; what the owner does not know is UNSUPPORTED', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home })
    await using client = await BoxRuntime.connect({ home })
    const box = await owner.create({ name: 'x' })
    const there = await client.get('x')
    const one = await rejects('INVALID_STATE', box.pause())
    const other = await rejects('INVALID_STATE', there?.pause() as Promise<void>)
    assert.equal([other.message, other.details, other.retryable], [one.message, one.details, one.retryable])
    await rejects('WRONG_EXPECTED_VERSION', client.rename('x', 'y', { expectedVersion: 7 }))
    await rejects('INVALID_ARGUMENT', client.rename('x', 'y', null as never))
    const answer = await unread(home, '/v1/call/fly', [])
    assert.is(answer.statusCode, 500)
    const body = JSON.parse(Buffer.concat(await answer.toArray()).toString())
    assert.is(body.error.code, 'UNSUPPORTED')
  }))

test('relative paths are those of the client, wherever its owner is', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const owner = await serve(home)
    await using client = await BoxRuntime.connect({ home })
    const before = process.cwd()
    process.chdir(dir)
    try {
      const options = {
        name: 'x',
        image: { kernel: 'kernel', initramfs: './initramfs', disks: [{ path: '../root.img' }] },
        disks: [{ path: 'data.img' }],
      }
      const here = process.cwd()
      const { spec } = await (await client.create(options)).info()
      assert.equal(spec.image, {
        kernel: join(here, 'kernel'),
        initramfs: join(here, 'initramfs'),
        disks: [{ path: join(here, '../root.img') }],
      })
      assert.equal(spec.disks, [{ path: join(here, 'data.img') }])
      assert.equal((await client.getOrCreate(options)).differs, [])
    } finally {
      process.chdir(before)
      await owner.end('SIGTERM')
    }
  }))

test('two clients and the program that embeds the owner see each other’s events live', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    await using one = await BoxRuntime.connect({ home })
    await using two = await BoxRuntime.connect({ home })
    const runtimes = [owner, one, two]
    const seen = runtimes.map(() => [] as string[])
    const listed = runtimes.map(() => '')
    for (const [n, runtime] of runtimes.entries()) {
      runtime.changes$.subscribe(({ position, state }) => seen[n]?.push(`${position} ${state}`))
      runtime.boxes$.subscribe(infos => {
        listed[n] = infos.map(({ name, state }) => `${name} ${state}`).join()
      })
    }
    const box = await one.create({ name: 'x', image })
    const actor = box.actor
    await (await two.get('x'))?.start()
    await waitFor(actor, snapshot => snapshot.matches('running'), { timeout: 10_000 })
    assert.ok(actor.getSnapshot().can({ type: 'pause.requested', at: 0 }))
    const fromElsewhere = await owner.get('x')
    await fromElsewhere?.pause()
    await box.waitFor(info => info.state === 'paused')
    actor.send({ type: 'stop.requested', mode: 'kill', at: 0 })
    await box.wait()
    await owner.rename('x', 'y')
    const total = (await box.info()).version
    await eventually(
      () => seen.every(all => all.length === total) && listed.every(all => all === 'y stopped'),
    )
    assert.equal(seen[1], seen[0])
    assert.equal(seen[2], seen[0])
    await waitFor(actor, snapshot => snapshot.context.name === 'y', { timeout: 5_000 })
    assert.throws(() => actor.send({ type: 'vmm.ready', at: 0 } as never))
    await one.close()
    await rejects('ENGINE_CLOSED', one.listInfo())
    assert.is((await two.listInfo()).length, 1)
  }))

test('an aborted wait ends on both sides; a closed client ends its own waits and streams only', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const client = await BoxRuntime.connect({ home })
    const box = await client.create({ image })
    await box.start()
    const left = new AbortController()
    const waits = [box.wait({ signal: left.signal }), box.waitFor('down', { signal: left.signal })]
    const records = (async () => {
      for await (const _ of client.events({ follow: true, signal: left.signal }));
    })()
    left.abort()
    for (const wait of [...waits, records]) await rejects('ABORTED', wait)
    const open = box.wait()
    const streamed = (async () => {
      for await (const _ of client.events({ follow: true }));
    })()
    await client.close()
    await rejects('ENGINE_CLOSED', open)
    await streamed
    await owner.remove(box.id, { force: true })
  }))

test('a client that never reads costs no memory, and loses nothing', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, durability: 'process' })
    const labels = { filler: 'x'.repeat(200) }
    const grow = async (from: number) => {
      for (let n = from; n < from + 2_000; n += 100)
        await Promise.all(Array.from({ length: 100 }, () => owner.create({ labels })))
    }
    const used = () => {
      setFlagsFromString('--expose-gc')
      runInNewContext('gc')()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    await grow(0)
    const before = used()
    await grow(2_000)
    const without = used() - before
    const streams: IncomingMessage[] = []
    for (let n = 0; n < 20; n += 1) {
      streams.push(await unread(home, '/v1/stream/events', [{ follow: true }]))
      streams.push(await unread(home, '/v1/stream/changes', [1]))
      streams.push(await unread(home, '/v1/stream/boxes', []))
    }
    const idle = used()
    await grow(4_000)
    const grown = used() - idle
    // 40 streams of 2,000 records would be 80 MB; what the boxes themselves take is known from before.
    assert.ok(grown < without + 16_000_000, `${grown} bytes with streams, ${without} without`)
    const [events, changes] = streams as [IncomingMessage, IncomingMessage]
    const positions = async (stream: IncomingMessage) => {
      const found: number[] = []
      let rest = ''
      for await (const chunk of stream.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) found.push((JSON.parse(line) as LedgerRecord).position)
        if (found.at(-1) === 6_000) break
      }
      return found
    }
    const all = Array.from({ length: 6_000 }, (_, n) => n + 1)
    assert.equal(await positions(events), all)
    assert.equal(await positions(changes), [0, ...all])
    for (const stream of streams) stream.destroy()
  }))

test('kill -9 of the owner under load: streams go on at the next without gap or duplicate, commands are done once', () =>
  withTempDir(async home => {
    let owner = await serve(home)
    const client = await BoxRuntime.connect({ home })
    const watcher = await BoxRuntime.connect({ home })
    const records: LedgerRecord[] = []
    const changes: BoxInfo[] = []
    const states: BoxInfo[] = []
    const printed: string[] = []
    const following = (async () => {
      for await (const record of watcher.events({ follow: true })) records.push(record)
    })()
    watcher.changes$.subscribe(info => changes.push(info))
    const guest = await client.create({ name: 'guest', image: smallGuest('tick'), stopTimeoutMs: 0 })
    guest.state$.subscribe(info => states.push(info))
    await guest.start()
    const console = (async () => {
      for await (const bytes of guest.console({ follow: true })) printed.push(Buffer.from(bytes).toString())
    })()
    const { pid } = await guest.info()
    for (let round = 0; round < 3; round += 1) {
      const work = Promise.all(
        Array.from({ length: 40 }, (_, n) => client.create({ name: `r${round}-${n}` })),
      )
      await eventually(() => records.length > 8 + round * 40 + 5)
      await owner.end('SIGKILL')
      owner = await serve(home)
      assert.is(new Set((await work).map(({ id }) => id)).size, 40)
    }
    assert.is((await guest.waitFor(info => !info.recovering)).pid, pid)
    assert.is((await client.listInfo()).length, 121)
    await guest.stop({ mode: 'kill' })
    await console
    const tail = (await guest.info()).position
    await eventually(() => records.at(-1)?.position === tail && changes.at(-1)?.position === tail)
    isDense(records)
    assert.equal(
      changes.map(({ position }) => position),
      records.map(({ position }) => position),
    )
    const versions = new Set(states.map(({ version }) => version))
    assert.is(versions.size, states.at(-1)?.version, 'no state of the guest is left out')
    await waitFor(guest.actor, ({ context }) => context.ending?.cause === 'requested', { timeout: 5_000 })
    assert.is(printed.join('').split('guest: hello').length, 2)
    assert.ok((await client.verify({ replay: true })).ok)
    await client.remove('guest')
    await owner.end('SIGTERM')
    await watcher.close()
    await following
    await client.close()
  }))

test('no new owner for 30 s: streams and calls reject with NO_OWNER', () =>
  withTempDir(async home => {
    const owner = await BoxRuntime.open({ home })
    await using client = await BoxRuntime.connect({ home })
    const records: LedgerRecord[] = []
    const streamed = rejects(
      'NO_OWNER',
      (async () => {
        for await (const record of client.events({ follow: true })) records.push(record)
      })(),
    )
    const box = await client.create({ name: 'before' })
    const { actor } = box
    const ended = new Promise<void>(complete => actor.subscribe({ complete }))
    await eventually(() => records.length === 1)
    await owner.close()
    const began = performance.now()
    await Promise.all([streamed, ended, rejects('NO_OWNER', client.listInfo())])
    assert.ok(performance.now() - began >= 29_000)
    // One that has come too late is an owner all the same.
    await using next = await BoxRuntime.open({ home })
    await next.rename('before', 'after')
    await waitFor(box.actor, ({ context }) => context.name === 'after', { timeout: 5_000 })
    assert.is(actor.getSnapshot().context.name, 'before', 'it has ended, and says so')
    await client.rename('after', 'later')
    assert.is(box.actor.getSnapshot().context.name, 'later')
  }))

test.run()
