// @timeout 120
// @timeout-long 600
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { EventParser, type VmmEvent } from '../../src/vmm/cloud-hypervisor/event-parser.ts'
import { eventually } from '../support/eventually.ts'
import { isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('hostile bytes in the event monitor’s file')
const random = makeRandom(takeSeed())
const { below, pick } = random

const known = [
  'vm/booted',
  'vm/rebooted',
  'vm/paused',
  'vm/resumed',
  'vm/shutdown',
  'guest/panic',
  'vmm/shutdown',
]

/** Text of an event that is one, as far as its name goes. */
const eventOf = (name: string): string => {
  const [source, event] = name.split('/')
  const properties = pick<unknown>([
    null,
    {},
    { id: '}\n{' },
    { a: { b: { c: '\u0000' } } },
    { ü: '\ud83d\ude00' },
  ])
  return `${JSON.stringify({ timestamp: { secs: below(9), nanos: 1 }, source, event, properties }, null, 2)}\n\n`
}

const wrong: readonly (() => string | Buffer)[] = [
  // events that are none
  () => JSON.stringify(pick<unknown>([null, 1, 'x', [], [{ source: 'vm', event: 'booted' }]])),
  () => JSON.stringify({ source: pick<unknown>([1, null, {}, [], true, '']), event: 'booted' }, null, 2),
  () =>
    JSON.stringify({
      source: 'vm',
      event: pick<unknown>(['BOOTED', 'a b', '../x', 'x'.repeat(99), '\u0007']),
    }),
  () => JSON.stringify({ source: '__proto__', event: 'constructor' }),
  () => '{"__proto__": {"polluted": true, "source": "vm", "event": "booted"}}',
  () => '{"constructor": {"prototype": {"polluted": true}}}',
  () => '{"source": "vm", "event": "booted",}',
  () => `{"source": "vm", "event": "booted", "n": 1${'0'.repeat(400)}}`,
  () => `${'{"a":'.repeat(below(3_000))}1`,
  () => `{"a": "${'x'.repeat(below(150_000))}"}`,
  () => '{'.repeat(below(2_000)),
  () => '"'.repeat(below(9)),
  // bytes that are no text
  () => Buffer.alloc(below(2_000)),
  () => Buffer.from(Array.from({ length: below(300) }, () => below(256))),
  () => Buffer.from([0xe2, 0x82]),
  () => Buffer.from([0xff, 0xfe, 0x7b, 0x22]),
  () => '\ufeff',
  () => Buffer.from(eventOf('vm/booted')).subarray(0, below(90)),
]

const parts = (): Buffer => {
  const pieces = Array.from({ length: 1 + below(6) }, () =>
    Buffer.from(below(2) === 0 ? eventOf(pick(known)) : pick(wrong)()),
  )
  return Buffer.concat(
    pieces.flatMap(piece =>
      below(3) === 0 ? [piece] : [piece, Buffer.from(pick(['\n', '\n\n', '\r\n', '']))],
    ),
  )
}

const split = (bytes: Buffer, size: () => number): VmmEvent[] => {
  const parser = new EventParser()
  const events: VmmEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + size()
    events.push(...parser.push(bytes.subarray(at, next)))
    at = next
  }
  return events
}

test('the same events, at the same places, however the bytes are parted', () => {
  const rounds = sized(400, 2_000)
  let found = 0
  for (let round = 0; round < rounds; round++) {
    const bytes = parts()
    const whole = split(bytes, () => bytes.length)
    for (const size of [() => 1, () => 1 + below(7), () => 1 + below(500)])
      assert.equal(split(bytes, size), whole, `seed ${random.seed}, round ${round}`)
    let before = 0
    for (const { name, end } of whole) {
      assert.match(name, /^[a-z0-9-]{1,40}\/[a-z0-9-]{1,40}$/)
      assert.ok(end > before && bytes[end - 1] === '}'.charCodeAt(0))
      before = end
    }
    found += whole.length
  }
  assert.ok(found > rounds / 2, `${found} events in ${rounds} rounds`)
  assert.not(isPolluted())
})

test('behind any garbage that ends with a line, or with a hole, the next event is found', () => {
  for (let round = 0; round < sized(400, 2_000); round++) {
    const bytes = Buffer.concat([parts(), Buffer.from(pick(['\n', '\0'])), Buffer.from(eventOf('vm/last'))])
    assert.is(
      split(bytes, () => 1 + below(300)).at(-1)?.name,
      'vm/last',
      `seed ${random.seed}, round ${round}`,
    )
  }
})

test('elsewhere, as behind a cut, the first event counts', () => {
  const parser = new EventParser()
  assert.equal(parser.push(Buffer.from('{ "source": "vm", "ev')), [])
  parser.skipTo(1_000)
  const text = eventOf('vm/paused')
  assert.equal(parser.push(Buffer.from(text)), [
    { name: 'vm/paused', end: 1_000 + Buffer.byteLength(text.trimEnd()) },
  ])
})

test('a box whose file is written to by somebody else goes on, and so do others', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const box = await runtime.create({
      name: 'victim',
      image: smallGuest('tick'),
      memoryMib: 64,
      stopTimeoutMs: 0,
    })
    const other = await runtime.create({
      name: 'other',
      image: smallGuest('tick'),
      memoryMib: 64,
      stopTimeoutMs: 0,
    })
    await Promise.all([box.start(), other.start()])
    const events = join(home, 'boxes', box.id, '1', 'events')
    for (let round = 0; round < sized(150, 2_000); round++) {
      appendFileSync(events, Buffer.from(pick(wrong)()))
      if (below(4) === 0) appendFileSync(events, pick(['\n', '\n\n', `\n${eventOf('vm/nothing')}`]))
      if (round % 30 === 0) {
        await other.pause()
        await other.resume()
      }
    }
    appendFileSync(events, `\n${eventOf('vm/paused')}`)
    await eventually(async () => (await box.info()).state === 'paused', {
      what: 'what can be read to be read',
    })
    assert.is((await other.info()).state, 'running')
    await Promise.all([box.stop({ mode: 'force' }), other.stop({ mode: 'force' })])
    assert.ok((await runtime.verify({ replay: true })).ok)
    assert.not(isPolluted())
    let records = 0
    for await (const _ of box.events()) records++
    assert.ok(records < 30, `${records} records`)
  }))

test('events that a VMM makes up are believed, in bounds: the ledger grows by some records a second', () =>
  withTempDir(async home => {
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const box = await runtime.create({ image: smallGuest('tick'), memoryMib: 64 })
    await box.start()
    const before = (await box.info()).version
    const events = join(home, 'boxes', box.id, '1', 'events')
    const began = performance.now()
    let written = 0
    while (performance.now() - began < 3_000) {
      for (let n = 0; n < 50; n++, written++)
        appendFileSync(events, eventOf(pick(['vm/paused', 'vm/resumed', 'vm/booted'])))
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    const seconds = (performance.now() - began) / 1_000
    const records = (await box.info()).version - before
    assert.ok(records < 25 + 6 * seconds, `${records} records of ${written} events in ${seconds} s`)
    await box.remove({ force: true })
    assert.ok((await runtime.verify({ replay: true })).ok)
  }))

test.run()
