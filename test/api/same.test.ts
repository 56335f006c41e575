// @timeout 200
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, type BoxInfo, type BoxOptions, type BoxRuntime } from 'boxledger'
import type { Observable } from 'rxjs'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { type Way, ways } from './ways.ts'

const test = suite('api: the same by both ways')
const image = smallGuest('idle')

interface World {
  readonly runtime: BoxRuntime
  /** boxes that are there: configured, running, removed */
  readonly still: Box
  readonly up: Box
  readonly gone: Box
}

type Question = (world: World) => unknown

/** What was answered, as far as it does not depend on when and where: values, or all that an error tells. */
async function answerOf(question: Question, world: World): Promise<unknown> {
  try {
    return plain(await question(world))
  } catch (error) {
    if (!BoxError.is(error)) return { thrown: String(error) }
    const { code, message, details, retryable } = error
    return plain({ code, message, details, retryable })
  }
}

/** What differs from one run to the next: of some facts there is one more or less, and so of records. */
const passing = new Set([
  ...['pid', 'at', 'createdAt', 'updatedAt', 'startedAt', 'process', 'dueAt', 'hash', 'prev', 'prevBody'],
  ...['version', 'position', 'actual', 'records', 'bytes', 'sha256', 'logTail', 'bootId'],
])

/** As JSON, so that what it cannot say is a difference too. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  if (isBox(value)) return { id: value.id, name: value.name }
  // Over the socket every command has an ID, so that it can be asked for again.
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'commandId')
    .map(([key, each]) => [key, passing.has(key) ? typeof each : plain(each)])
  return Object.fromEntries(entries)
}

const isBox = (value: object): value is Box => 'state$' in value

const all = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const value of values) found.push(value)
  return found
}

/** Who subscribes keeps no process alive: this does. */
const outcome = (values: Observable<unknown>) => {
  const alive = setInterval(() => {}, 1_000)
  return new Promise((resolve, reject) => {
    const seen: unknown[] = []
    values.subscribe({ next: value => seen.push(value), error: reject, complete: () => resolve(seen) })
  }).finally(() => clearInterval(alive))
}

const gone = AbortSignal.abort('nobody waits')
const long = 'x'.repeat(2 << 20)
const nothing = undefined as never
const wrong: readonly unknown[] = [[], null, 7, 'no name', new Date(0), new Map(), () => {}]

/** Each is asked of a runtime of its own, in this order. */
const questions: Readonly<Record<string, Question>> = {
  ...Object.fromEntries(
    wrong.flatMap(value => {
      const v = value as never
      const verbs: Record<string, Question> = {
        create: ({ runtime }) => runtime.create(v),
        'create, meta': ({ runtime }) => runtime.create({}, v),
        getOrCreate: ({ runtime }) => runtime.getOrCreate(v),
        listInfo: ({ runtime }) => runtime.listInfo(v),
        verify: ({ runtime }) => runtime.verify(v),
        archive: ({ runtime }) => runtime.archive(v),
        events: ({ runtime }) => all(runtime.events(v)),
        events$: ({ runtime }) => outcome(runtime.events$(v)),
        history: ({ runtime }) => all(runtime.history(typeof value === 'string' ? nothing : v)),
        rename: ({ runtime }) => runtime.rename('still', value === null ? nothing : v),
        'rename, meta': ({ runtime }) => runtime.rename('still', 'other', v),
        remove: ({ runtime }) => runtime.remove('still', v),
        resolve: ({ runtime }) => runtime.resolve('still', v),
        'resolve, meta': ({ runtime }) => runtime.resolve('still', 'dead', v),
        stateAt: ({ runtime }) => runtime.stateAt('still', v),
        'stateAt, version': ({ runtime }) => runtime.stateAt('still', { version: value === 7 ? nothing : v }),
        'stateAt, time': ({ runtime }) =>
          runtime.stateAt('still', { time: value instanceof Date ? nothing : v }),
        diff: ({ runtime }) => runtime.diff('up', 1, value === 7 ? nothing : v),
        why: ({ runtime }) => runtime.why(value === 7 ? nothing : v),
        explain: ({ runtime }) => runtime.explain(typeof value === 'string' ? nothing : v),
        fork: ({ runtime }) => runtime.fork('still', v, []),
        'fork, events': ({ runtime }) =>
          runtime.fork('still', { version: 1 }, Array.isArray(value) ? nothing : v),
        'fork, event': ({ runtime }) => runtime.fork('still', { version: 1 }, [v]),
        shutdown: ({ runtime }) => runtime.shutdown(v),
        start: ({ still }) => still.start(v),
        stop: ({ up }) => up.stop(v),
        restart: ({ up }) => up.restart(v),
        pause: ({ up }) => up.pause(v),
        resume: ({ up }) => up.resume(v),
        'box.remove': ({ still }) => still.remove(v),
        wait: ({ still }) => still.wait(v),
        waitFor: ({ still }) => still.waitFor(typeof value === 'function' ? nothing : v),
        'waitFor, meta': ({ still }) => still.waitFor('down', v),
        console: ({ up }) => all(up.console(v)),
        'box.events': ({ up }) => all(up.events(v)),
        send: ({ still }) => still.actor.send(v),
      }
      return Object.entries(verbs).map(([verb, ask]) => [`wrong: ${verb} of ${typeof value} ${value}`, ask])
    }),
  ),
  'stateAt of nothing': ({ runtime }) => runtime.stateAt(nothing, { version: 1 }),
  'stateAt of two moments': ({ runtime }) => runtime.stateAt('up', { version: 1, position: 1 } as never),
  'stateAt before it was': ({ runtime }) => runtime.stateAt('up', { time: new Date(0) }),
  'stateAt later than now': ({ runtime }) => runtime.stateAt('up', { time: new Date(8.64e15) }),
  'stateAt a version to come': ({ runtime }) => runtime.stateAt('up', { version: 1_000 }),
  'stateAt of what is gone': ({ runtime, gone }) => runtime.stateAt(gone.id, { version: 1 }),
  'stateAt a position': ({ runtime }) => runtime.stateAt('up', { position: 1_000_000 }),
  diff: ({ runtime }) => runtime.diff('up', 1, 3),
  'why of no record': ({ runtime }) => runtime.why(1_000_000),
  why: ({ runtime }) => runtime.why(1),
  explain: ({ runtime }) => runtime.explain('still'),
  'explain what is gone': ({ runtime, gone }) => runtime.explain(gone.id),
  fork: ({ runtime }) => runtime.fork('up', { version: 1 }, [{ type: 'start.requested' }]),
  'fork of a fact': ({ runtime }) => runtime.fork('up', { version: 1 }, [{ type: 'vm.booted' } as never]),
  'rename to nothing': ({ runtime }) => runtime.rename('still', nothing),
  'rename without a box': ({ runtime }) => runtime.rename(nothing, 'x'),
  'getOrCreate without a name': ({ runtime }) => runtime.getOrCreate({} as never),
  'a long word': ({ runtime }) => runtime.get(long),
  'a long word exists': ({ runtime }) => runtime.exists(long),
  'remove a long word': ({ runtime }) => runtime.remove(long),
  'history of a long word': ({ runtime }) => all(runtime.history(long)),
  'verify a long word': ({ runtime }) => runtime.verify({ box: long }),
  'events of a long word': ({ runtime }) => all(runtime.events({ box: long })),
  'a large command': ({ runtime }) => runtime.create({ command: [long] }),
  'a large environment': ({ runtime }) => runtime.create({ env: { A: long } }),
  'large secrets': ({ runtime }) => runtime.create({ secrets: { A: long } }),
  'a large filter': ({ runtime }) => runtime.listInfo({ names: [long] }),
  'large labels to look for': ({ runtime }) => runtime.listInfo({ labels: { a: long } }),
  'a large after': ({ runtime }) => runtime.listInfo({ after: long }),
  'many types': ({ runtime }) => all(runtime.events({ types: [long] })),
  'many types, of a box': ({ up }) => all(up.events({ types: [long] })),
  'autoRemove and always': ({ runtime }) =>
    runtime.create({ autoRemove: true, restart: { policy: 'always' } }),
  'a secret that is not there': ({ runtime }) => runtime.create({ env: { A: { secret: 'b' } } }),
  create: async ({ runtime }) => {
    const options: BoxOptions = {
      name: 'new',
      labels: { a: '1' },
      image: { kernel: 'k', disks: [{ path: 'd' }] },
    }
    const box = await runtime.create({ ...options, disks: [{ path: './e', readonly: true }] })
    return [box, await box.info()]
  },
  'create under a taken name': ({ runtime }) => runtime.create({ name: 'still' }),
  'getOrCreate differs': ({ runtime }) =>
    runtime.getOrCreate({
      name: 'new',
      cpus: 2,
      image: { kernel: 'k' },
      disks: [{ path: './e', readonly: true }],
    }),
  'getOrCreate creates': ({ runtime }) => runtime.getOrCreate({ name: 'newer' }, { commandId: 'newer' }),
  'getOrCreate again': ({ runtime }) => runtime.getOrCreate({ name: 'newer' }, { commandId: 'newer' }),
  get: ({ runtime }) => runtime.get('still'),
  'get nobody': ({ runtime }) => runtime.get('nobody'),
  'get ambiguous': ({ runtime }) => runtime.get('box000'),
  getInfo: ({ runtime, up }) => runtime.getInfo(up.id),
  listInfo: ({ runtime }) => runtime.listInfo(),
  'listInfo by state': ({ runtime }) => runtime.listInfo({ states: ['running'], limit: 1 }),
  'listInfo after nobody': ({ runtime }) => runtime.listInfo({ after: 'nobody' }),
  'listInfo after one that is gone': ({ runtime, gone }) => runtime.listInfo({ after: gone.id }),
  images: ({ runtime }) => runtime.images.list(),
  'an image under no name': ({ runtime }) => runtime.images.add('../x', image),
  'an image of nothing': ({ runtime }) => runtime.images.add('x', { kernel: '/nowhere' }),
  'an image of no directory': ({ runtime }) => runtime.images.add('x', { root: './nowhere' }),
  'an image that is not there, removed': ({ runtime }) => runtime.images.remove('x'),
  'the built-in image, removed': ({ runtime }) => runtime.images.remove('builtin'),
  'an image, added and removed': async ({ runtime }) => {
    await runtime.images.add('x', image)
    await runtime.images.remove('x')
  },
  'pause of a box that is down': ({ still }) => still.pause(),
  'resume of a box that is down': ({ still }) => still.resume(),
  'remove of a box that is up': ({ runtime, up }) => runtime.remove(up.id),
  'resolve of a box that is up': ({ runtime, up }) => runtime.resolve(up.id, 'dead'),
  'remove by prefix': ({ runtime }) => runtime.remove('box0'),
  'rename to a living ID': ({ runtime, up }) => runtime.rename('still', up.id),
  ...Object.fromEntries(
    (['start', 'stop', 'restart', 'pause', 'resume', 'remove', 'info', 'wait'] as const).map(verb => [
      `${verb} of a box that is gone`,
      ({ gone }: World) => gone[verb](),
    ]),
  ),
  'waitFor of a box that is gone': ({ gone }) => gone.waitFor('up'),
  'waitFor of a box that is gone, gone': ({ gone }) => gone.waitFor('gone'),
  'actor of a box that is gone': ({ gone }) => gone.actor,
  'console of a box that is gone': ({ gone }) => all(gone.console({ follow: true })),
  'state$ of a box that is gone': ({ gone }) => outcome(gone.state$),
  'events of a box that is gone, by name': ({ runtime }) => all(runtime.events({ box: 'gone' })),
  'events of a box that is gone, by ID': ({ runtime, gone }) => all(runtime.events({ box: gone.id })),
  'history of a box that is gone': ({ runtime, gone }) => all(runtime.history(gone.id)),
  'history of nobody': ({ runtime }) => all(runtime.history('nobody')),
  'a version that is not there': ({ still }) => still.start({ expectedVersion: 9 }),
  'a version that is not there: stop': ({ up }) => up.stop({ expectedVersion: 1 }),
  'a version that is not there: restart': ({ up }) => up.restart({ expectedVersion: 1 }),
  'a version that is not there: pause': ({ up }) => up.pause({ expectedVersion: 1 }),
  'a version that is not there: resume': ({ up }) => up.resume({ expectedVersion: 1 }),
  'a version that is not there: remove': ({ up }) => up.remove({ expectedVersion: 1 }),
  'a version that is not there: rename': ({ runtime }) =>
    runtime.rename('still', 'x', { expectedVersion: 9 }),
  'a version that is not there: resolve': ({ runtime, up }) =>
    runtime.resolve(up.id, 'dead', { expectedVersion: 1 }),
  'a version that is not there: create': ({ runtime }) => runtime.create({}, { expectedVersion: 3 }),
  'a version that is there': ({ up }) =>
    up.info().then(({ version }) => up.pause({ expectedVersion: version })),
  ...Object.fromEntries(
    (['start', 'stop', 'restart', 'pause', 'resume', 'remove'] as const).flatMap(verb => [
      [`${verb}, given up before`, ({ still }: World) => still[verb]({ signal: gone })],
      [`${verb}, another's command`, ({ still }: World) => still[verb]({ commandId: 'newer' })],
    ]),
  ),
  'create, given up before': ({ runtime }) => runtime.create({ name: 'never' }, { signal: gone }),
  'getOrCreate, given up before': ({ runtime }) => runtime.getOrCreate({ name: 'never' }, { signal: gone }),
  'rename, given up before': ({ runtime }) => runtime.rename('still', 'never', { signal: gone }),
  'remove by name, given up before': ({ runtime }) => runtime.remove('still', { signal: gone }),
  'resolve, given up before': ({ runtime }) => runtime.resolve('still', 'dead', { signal: gone }),
  'wait, given up before': ({ still }) => still.wait({ signal: gone }),
  'waitFor, given up before': ({ still }) => still.waitFor('down', { signal: gone }),
  'events, given up before': ({ runtime }) => all(runtime.events({ signal: gone })),
  'events, followed, given up before': ({ runtime }) => all(runtime.events({ signal: gone, follow: true })),
  'events$, given up before': ({ runtime }) => outcome(runtime.events$({ signal: gone })),
  'events of nobody, given up before': ({ runtime }) => all(runtime.events({ box: 'nobody', signal: gone })),
  'box.events, given up before': ({ up }) => all(up.events({ signal: gone })),
  'console, given up before': ({ up }) => all(up.console({ signal: gone })),
  'console, followed, given up before': ({ up }) => all(up.console({ signal: gone, follow: true })),
  'nothing of that was done': ({ runtime }) => runtime.exists('never'),
  'no time to wait, and it is so': ({ still }) => still.waitFor('down', { timeoutMs: 0 }),
  'no time to wait, and it is not so': ({ still }) => still.waitFor('up', { timeoutMs: 0 }),
  'a test that throws': ({ still }) =>
    still.waitFor(() => {
      throw new Error('no test')
    }),
  'a tag that is none': ({ still }) => still.waitFor('upwards' as never),
  'a fact to an actor': ({ still }) => still.actor.send({ type: 'vmm.ready', at: 0 } as never),
  'another command under one ID': ({ runtime }) => runtime.remove('nobody', { commandId: 'newer' }),
  'rename, and the answer is lost': async ({ runtime }) => {
    const box = await runtime.create({ name: 'a' })
    await runtime.rename('a', 'b', { commandId: 'rename' })
    const other = await runtime.create({ name: 'a' })
    await runtime.rename('a', 'b', { commandId: 'rename' })
    return [await box.info(), await other.info()]
  },
  'remove, and the answer is lost': async ({ runtime }) => {
    await runtime.remove('a', { commandId: 'remove' })
    const other = await runtime.create({ name: 'a' })
    await runtime.remove('a', { commandId: 'remove' })
    return other.info()
  },
  'resume, console, restart': async ({ up }) => {
    await up.resume()
    const printed = await all(up.console())
    await up.restart()
    await up.stop({ mode: 'kill' })
    return [printed.map(plain).join(''), await up.info()]
  },
  'console of an incarnation': ({ up }) => all(up.console({ incarnation: 1 })),
  'files into a guest without an agent': ({ up }) => up.copyIn('/etc/hostname', '/srv'),
  'files out of it': ({ up }) => up.copyOut('/etc/hostname', '/tmp/x'),
  'files from a relative path of a guest': ({ up }) => up.copyOut('relative', '/tmp/x'),
  'files from nowhere': ({ up }) => up.copyIn('', '/srv'),
  'files, with wrong options': ({ up }) => up.copyIn('/etc/hostname', '/srv', { onProgress: 7 as never }),
  'files of a box that is gone': ({ gone }) => gone.copyIn('/etc/hostname', '/srv'),
  'console of one that never was': ({ up }) => all(up.console({ incarnation: 99 })),
  'events by type': ({ runtime }) => all(runtime.events({ types: ['box.created', 'box.removed'] })),
  'events by label': ({ runtime }) => all(runtime.events({ labels: { a: '1' } })),
  'events from': ({ runtime }) => all(runtime.events({ from: 3, types: ['box.created'] })),
  'events beyond the end': ({ runtime }) => all(runtime.events({ from: 1_000_000 })),
  'events of one box': ({ up }) => all(up.events({ from: 1, types: ['box.created'] })),
  verify: ({ runtime }) => runtime.verify({ replay: true }),
  'verify a box': ({ runtime }) => runtime.verify({ box: 'still' }),
  'verify nobody': ({ runtime }) => runtime.verify({ box: 'nobody' }),
  archive: ({ runtime }) => runtime.archive({ before: new Date(Date.now() + 60_000) }),
  'archive before no time': ({ runtime }) => runtime.archive({ before: new Date(Number.NaN) }),
  compact: ({ runtime }) => runtime.compact().then(({ after }) => after > 0),
  adopt: ({ runtime }) => runtime.adopt(),
  'all that was done': async ({ runtime }) => {
    const types = ['created', 'renamed', 'removed'].map(what => `box.${what}`)
    const verbs = ['start', 'stop', 'restart', 'pause', 'resume', 'remove'].map(verb => `${verb}.requested`)
    const records = await all(runtime.events({ types: [...types, ...verbs] }))
    return records.map(({ box, event, from, to }) => `${box} ${event.type}: ${from} -> ${to}`)
  },
}

/** After it was closed. */
const lateQuestions: Readonly<Record<string, Question>> = {
  'closed: create': ({ runtime }) => runtime.create(),
  'closed: getOrCreate': ({ runtime }) => runtime.getOrCreate({ name: 'x' }),
  'closed: get': ({ runtime }) => runtime.get('x'),
  'closed: listInfo': ({ runtime }) => runtime.listInfo(),
  'closed: remove': ({ runtime }) => runtime.remove('x'),
  'closed: events': ({ runtime }) => all(runtime.events()),
  'closed: events, followed': ({ runtime }) => all(runtime.events({ follow: true })),
  'closed: events$': ({ runtime }) => outcome(runtime.events$()),
  'closed: changes$': ({ runtime }) => outcome(runtime.changes$),
  'closed: boxes$': ({ runtime }) => outcome(runtime.boxes$),
  'closed: history': ({ runtime }) => all(runtime.history('x')),
  'closed: verify': ({ runtime }) => runtime.verify(),
  'closed: compact': ({ runtime }) => runtime.compact(),
  'closed: adopt': ({ runtime }) => runtime.adopt(),
  'closed: close': ({ runtime }) => runtime.close(),
  'closed: shutdown': ({ runtime }) => runtime.shutdown(),
  'closed: info': ({ still }) => still.info(),
  'closed: start': ({ still }) => still.start(),
  'closed: wait': ({ still }) => still.wait(),
  'closed: waitFor': ({ still }) => still.waitFor('down'),
  'closed: state$': ({ still }) => outcome(still.state$),
  'closed: console': ({ still }) => all(still.console()),
  'closed: console, followed': ({ still }) => all(still.console({ follow: true })),
  'closed: box.events': ({ still }) => all(still.events()),
  'closed: actor': ({ still }) => still.actor,
}

/** IDs that can be compared. */
const counted = () => {
  let n = 0
  return () => `box${String(n++).padStart(9, '0')}`
}

async function answers(way: Way, home: string): Promise<Map<string, unknown>> {
  await using opened = await way.open({ home, vmm: { binary: instantVmm }, ids: counted() })
  const { runtime } = opened
  const gone = await runtime.create({ name: 'gone' })
  const world: World = {
    runtime,
    gone,
    still: await runtime.create({ name: 'still' }),
    up: await runtime.create({ image, stopTimeoutMs: 0 }),
  }
  await gone.remove()
  await world.up.start()
  const found = new Map<string, unknown>()
  for (const [what, question] of Object.entries(questions)) found.set(what, await answerOf(question, world))
  const left: BoxInfo[] = await runtime.listInfo()
  for (const { id } of left) await runtime.remove(id, { force: true })
  await runtime.close()
  for (const [what, question] of Object.entries(lateQuestions))
    found.set(what, await answerOf(question, world))
  return found
}

test('each verb, asked the same, answers the same', () =>
  withTempDir(async dir => {
    const [one, other] = ways as readonly [Way, Way]
    // The path is in no answer.
    const homes = [join(dir, 'a'), join(dir, 'b')] as const
    for (const home of homes) mkdirSync(home, { mode: 0o700 })
    const embedded = await answers(one, homes[0])
    const socket = await answers(other, homes[1])
    const differ = [...embedded.keys()].filter(
      what => JSON.stringify(embedded.get(what)) !== JSON.stringify(socket.get(what)),
    )
    const shown = differ.map(what => ({ what, embedded: embedded.get(what), socket: socket.get(what) }))
    assert.equal(shown, [])
    const codes = (beginning: string) => {
      const found = [...embedded].filter(([what]) => what.includes(beginning))
      assert.ok(found.length > 10)
      return [...new Set(found.map(([, answer]) => (answer as { code?: string } | undefined)?.code))]
    }
    assert.equal(codes('wrong: '), ['INVALID_ARGUMENT'])
    assert.equal(codes('given up before'), ['ABORTED'])
    // To close again is no mistake.
    assert.equal(codes('closed: '), ['ENGINE_CLOSED', undefined])
    assert.is(embedded.get('nothing of that was done'), false)
  }))

test.run()
