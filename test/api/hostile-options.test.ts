// @timeout 300
import { join } from 'node:path'
import { type Box, BoxError, type BoxInfo, BoxRuntime, errorCodes, hostInfo } from 'boxledger'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { anything, isPolluted, oddText, withFields } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const seed = takeSeed()
const runs = sized(60, 1_000)

const command = {
  commandId: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }),
  expectedVersion: fc.nat({ max: 5 }),
  actor: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
  signal: fc.constant(new AbortController().signal),
}
const labels = fc.dictionary(oddText, oddText, { maxKeys: 4 })
const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)
const options = withFields({
  name,
  labels: fc.oneof(labels, fc.dictionary(name, name)),
  image: fc.constantFrom<unknown>('builtin', { kernel: '/k', cmdline: 'x', disks: [{ path: '/d' }] }),
  command: fc.array(fc.string(), { minLength: 1 }),
  env: fc.dictionary(name, fc.oneof(fc.string(), fc.record({ secret: fc.constantFrom('token', 'other') }))),
  secrets: fc.oneof(fc.constant({ token: 'x', other: 'y' }), fc.dictionary(name, fc.string())),
  workdir: fc.constantFrom('/', '/tmp'),
  user: fc.constantFrom('root', 'a:b'),
  cpus: fc.integer({ min: 1, max: 256 }),
  memoryMib: fc.integer({ min: 64, max: 4096 }),
  disks: fc.array(fc.constantFrom({ path: '/d' }, { path: '/e', readonly: true })),
  autoRemove: fc.boolean(),
  detach: fc.boolean(),
  restart: fc.constantFrom<unknown>(
    { policy: 'no' },
    { policy: 'always', backoff: { factor: 3 } },
    { policy: 'on-failure', maxRetries: 2 },
  ),
  ready: fc.constantFrom<unknown>('guest', 'vmm', { console: '^x$' }),
  stopTimeoutMs: fc.nat({ max: 1000 }),
})
const given = withFields(command)
const idOrName = fc.oneof(oddText, anything, fc.constantFrom('victim', 'nobody'))

/** What was accepted must be as it was asked for, and within what the manual allows. */
const isAsAsked = (asked: unknown, info: BoxInfo): void => {
  const wanted = (asked ?? {}) as Record<string, unknown>
  const { spec } = info
  assert.is(info.name, wanted.name ?? undefined)
  assert.equal(info.labels, { ...(wanted.labels as object) })
  // As JSON: an object without a prototype is an object like any other.
  assert.equal(spec.env ?? {}, JSON.parse(JSON.stringify(wanted.env ?? {})))
  assert.is(spec.cpus, wanted.cpus ?? 1)
  assert.is(spec.memoryMib, wanted.memoryMib ?? 256)
  assert.ok(Number.isInteger(spec.cpus) && spec.cpus >= 1 && spec.cpus <= 256)
  assert.is(info.autoRemove, wanted.autoRemove ?? false)
  assert.is(info.detach, wanted.detach ?? true)
  assert.equal(spec.command, wanted.command)
  const values = Object.values(spec.env ?? {}).map(value =>
    typeof value === 'string' ? value : value.secret,
  )
  for (const text of [...Object.entries(info.labels).flat(), ...Object.keys(spec.env ?? {}), ...values])
    assert.ok(typeof text === 'string' && !/[\0\p{Surrogate}]/u.test(text))
}

const commandIds = new Set<string>()

/** The same command again is answered as it was the first time, whatever else is asked. */
const isFirst = (c: unknown): boolean => {
  const { commandId } = (c ?? {}) as { commandId?: string }
  if (commandId === undefined) return true
  const isNew = !commandIds.has(commandId)
  commandIds.add(commandId)
  return isNew
}

const firstOf = async (lines: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of lines) return
}

type Call = readonly [
  what: string,
  input: fc.Arbitrary<readonly unknown[]>,
  call: (runtime: BoxRuntime, box: Box, input: readonly unknown[]) => unknown,
]

const calls: readonly Call[] = [
  [
    'create',
    fc.tuple(options, given),
    async (runtime, _, [o, c]) => {
      const box = await runtime.create(o as never, c as never)
      if (isFirst(c)) isAsAsked(o, await box.info())
    },
  ],
  [
    'getOrCreate',
    fc.tuple(options, given),
    async (runtime, _, [o, c]) => {
      const { box, created } = await runtime.getOrCreate(o as never, c as never)
      if (isFirst(c) && created) isAsAsked(o, await box.info())
    },
  ],
  ['get', fc.tuple(idOrName), (runtime, _, [id]) => runtime.get(id as never)],
  ['getInfo', fc.tuple(idOrName), (runtime, _, [id]) => runtime.getInfo(id as never)],
  ['exists', fc.tuple(idOrName), (runtime, _, [id]) => runtime.exists(id as never)],
  [
    'listInfo',
    fc.tuple(
      withFields({
        states: fc.constantFrom(['running'], ['configured', 'unknown']),
        names: fc.array(oddText),
        labels: fc.oneof(labels, fc.constant({ constructor: 'x' }), fc.constant({ '': '' })),
        limit: fc.nat(),
        after: oddText,
      }),
    ),
    async (runtime, _, [filter]) => {
      const found = await runtime.listInfo(filter as never)
      const wanted = Object.entries((filter as { labels?: object } | undefined)?.labels ?? {})
      for (const info of found)
        for (const [key, value] of wanted)
          assert.is(Object.entries(info.labels).find(([k]) => k === key)?.[1], value)
    },
  ],
  [
    'remove',
    fc.tuple(idOrName, withFields({ ...command, force: fc.boolean() })),
    (runtime, _, [id, o]) => runtime.remove((id === 'victim' ? 'nobody' : id) as never, o as never),
  ],
  [
    'rename',
    fc.tuple(idOrName, fc.oneof(anything, name), given),
    (runtime, _, [id, to, c]) => runtime.rename(id as never, to as never, c as never),
  ],
  [
    'resolve',
    fc.tuple(idOrName, fc.oneof(anything, fc.constant('dead')), given),
    (runtime, _, [id, verdict, c]) => runtime.resolve(id as never, verdict as never, c as never),
  ],
  [
    'events',
    fc.tuple(
      withFields({
        from: fc.nat({ max: 50 }),
        box: fc.constantFrom('victim', 'nobody'),
        types: fc.array(oddText),
        labels,
        follow: fc.constant(false),
      }),
    ),
    (runtime, _, [o]) => firstOf(runtime.events(withoutFollow(o) as never)),
  ],
  [
    'events$',
    fc.tuple(anything),
    (runtime, _, [o]) =>
      new Promise<void>((resolve, reject) => {
        const seen = runtime.events$(o as never).subscribe({
          next: () => setImmediate(() => seen.unsubscribe()),
          error: reject,
          complete: resolve,
        })
        seen.add(resolve)
      }),
  ],
  ['history', fc.tuple(idOrName), (runtime, _, [id]) => firstOf(runtime.history(id as never))],
  [
    'verify',
    fc.tuple(withFields({ replay: fc.constant(false), box: fc.constantFrom('nobody', 'nobody else') })),
    (runtime, _, [o]) => runtime.verify(o as never),
  ],
  ['start', fc.tuple(given), (_, box, [c]) => box.start(c as never)],
  [
    'stop',
    fc.tuple(withFields({ ...command, mode: fc.constantFrom('graceful', 'kill'), timeoutMs: fc.nat() })),
    (_, box, [o]) => box.stop(o as never),
  ],
  ['restart', fc.tuple(given), (_, box, [c]) => box.restart(c as never)],
  ['pause', fc.tuple(given), (_, box, [c]) => box.pause(c as never)],
  ['resume', fc.tuple(given), (_, box, [c]) => box.resume(c as never)],
  ['wait', fc.tuple(withFields({ signal: command.signal })), (_, box, [o]) => box.wait(o as never)],
  [
    'waitFor',
    fc.tuple(
      fc.oneof(
        anything.map(test => (typeof test === 'function' ? () => true : test)),
        fc.constant('down'),
      ),
      withFields({ signal: command.signal, timeoutMs: fc.maxSafeNat() }),
    ),
    (_, box, [until, o]) => box.waitFor(until as never, o as never),
  ],
  [
    'console',
    fc.tuple(withFields({ follow: fc.constant(false), incarnation: fc.nat(), signal: command.signal })),
    (_, box, [o]) => firstOf(box.console(withoutFollow(o) as never)),
  ],
  [
    'box.events',
    fc.tuple(withFields({ from: fc.nat({ max: 50 }), types: fc.array(oddText), follow: fc.constant(false) })),
    (_, box, [o]) => firstOf(box.events(withoutFollow(o) as never)),
  ],
  [
    'actor.send',
    fc.tuple(
      withFields({
        type: fc.constantFrom('box.renamed', 'stop.requested', 'guest.ready', 'vmm.exited', '__proto__'),
        // what is sent and good is recorded later, whoever looks meanwhile
        name: fc.constant('-'),
        mode: fc.constantFrom('kill', 'force'),
        timeoutMs: fc.nat(),
        incarnation: fc.nat(),
      }),
    ),
    (_, box, [event]) => box.actor.send(event as never),
  ],
  [
    'hostInfo',
    fc.tuple(withFields({ home: anything, vmm: fc.constantFrom<unknown>({ binary: [] }, { binary: '' }) })),
    (_, __, [o]) => ('home' in Object(o) || typeof o !== 'object' ? hostInfo(o as never) : undefined),
  ],
  [
    'open',
    fc.tuple(
      withFields({ vmm: fc.constant({}), durability: fc.constant('sync'), ids: fc.constant(() => 'x') }),
    ),
    // There is an owner: what is good is told so.
    async (runtime, _, [o]) => {
      await (await BoxRuntime.open(changed(o, { home: homeOf(runtime) }) as never)).close()
    },
  ],
  [
    'connect',
    fc.tuple(fc.oneof(anything, fc.record({ home: anything }))),
    (_, __, [o]) => (o === undefined ? undefined : BoxRuntime.connect(o as never)),
  ],
]

const homes = new WeakMap<BoxRuntime, string>()
const homeOf = (runtime: BoxRuntime): string => homes.get(runtime) ?? ''

/** Options with some that the test cannot do without; what is no object, or cannot be read, stays what it is. */
function changed(o: unknown, by: object): unknown {
  try {
    return typeof o === 'object' && o !== null && !Array.isArray(o) ? { ...o, ...by } : (o ?? null)
  } catch {
    return o
  }
}

/** What follows never ends by itself. */
function withoutFollow(o: unknown): unknown {
  try {
    return (o as { follow?: unknown } | undefined)?.follow === true ? changed(o, { follow: false }) : o
  } catch {
    return o
  }
}

for (const way of ['embedded', 'socket'] as const) {
  const test = suite(`api: hostile options, ${way}`)

  const attack = async (home: string): Promise<BoxInfo[]> => {
    await using owner = await BoxRuntime.open({ home, vmm: { binary: '/nowhere/vmm' } })
    await using client = await BoxRuntime.connect({ home })
    const runtime = way === 'embedded' ? owner : client
    homes.set(runtime, home)
    let position = 0
    owner.changes$.subscribe(info => {
      position = info.position
    })
    const box = await runtime.create({ name: 'victim', image: { kernel: '/k' } })
    const counts = { tried: 0, refused: 0, written: 0 }
    for (const [what, input, call] of calls) {
      const tries = fc.asyncProperty(input, async value => {
        const before = position
        counts.tried++
        try {
          await call(runtime, box, value)
        } catch (error) {
          assert.ok(BoxError.is(error), `${what}: ${error instanceof Error ? error.stack : String(error)}`)
          assert.ok(Object.hasOwn(errorCodes, error.code))
          assert.ok(error.message.length < 2_000, `${what}: a message of ${error.message.length} characters`)
          if (error.code !== 'INVALID_ARGUMENT') return
          counts.refused++
          if (position !== before) counts.written++
          assert.is(position, before, what)
        }
        assert.not(isPolluted())
      })
      await fc.assert(tries, { seed, numRuns: runs, includeErrorInReport: true })
    }
    assert.ok((await runtime.verify({ replay: true })).ok)
    process.stdout.write(
      `\nhostile options, ${way}: ${counts.tried} tried, ${counts.refused} refused, ${counts.written} written\n`,
    )
    return await owner.listInfo()
  }

  test('each bad input is refused with a code, and nothing is written', () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      const before = await attack(home)
      // What was written can be read again.
      await using owner = await BoxRuntime.open({ home, vmm: { binary: '/nowhere/vmm' } })
      assert.equal(await owner.listInfo(), before)
      assert.ok(before.every(({ parked }) => parked === undefined))
      assert.ok((await owner.verify({ replay: true })).ok)
    }))

  test.run()
}
