import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { EventParser, type VmmEvent } from '../../src/vmm/cloud-hypervisor/event-parser.ts'
import { makeRandom, type Random, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'

const test = suite('event parser')
const random = makeRandom(takeSeed())

const recording = JSON.parse(
  readFileSync(
    new URL('../../../test/fixtures/cloud-hypervisor/recordings/event-monitor-raw.json', import.meta.url),
    'utf8',
  ),
) as { rawText: string; parsed: { source: string; event: string }[] }

const recorded = recording.parsed.map(({ source, event }) => `${source}/${event}`)

/** Feeds a text in pieces of random length. */
function parse(bytes: Uint8Array, parser = new EventParser()): VmmEvent[] {
  const events: VmmEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + random.below(random.pick([1, 7, 200]))
    events.push(...parser.push(bytes.subarray(at, next)))
    at = next
  }
  return events
}

const names = (events: readonly VmmEvent[]): string[] => events.map(({ name }) => name)

function makeEvent(n: number): string {
  const properties = random.pick([
    null,
    { event: 'panic' },
    { id: '{"]}\\"', text: 'a\nb"{' },
    { deep: { er: {} } },
  ])
  const event = { timestamp: { secs: n, nanos: n }, source: 'vm', event: `e${n}`, properties }
  return `${JSON.stringify(event, null, 2)}\n\n`
}

function garbage({ below, pick }: Random): Buffer {
  const bytes = Buffer.from(
    Array.from({ length: below(80) }, () => pick([0, 0x7b, 0x7d, 0x22, 0x5c, below(256)])),
  )
  // What comes within a line cannot hide that the next one begins.
  return Buffer.concat([bytes, Buffer.from('\n')])
}

test('reads what the real program wrote, however it is cut', () => {
  const bytes = Buffer.from(recording.rawText)
  for (let round = 0; round < 50; round++) {
    const events = parse(bytes)
    assert.equal(names(events), recorded)
    for (const { end } of events) assert.is(bytes[end - 1], '}'.charCodeAt(0))
    assert.is(events.at(-1)?.end, bytes.length - 2)
  }
})

test('goes on from any recorded offset', () => {
  const bytes = Buffer.from(recording.rawText)
  for (const [n, { end }] of parse(bytes).entries()) {
    const rest = parse(bytes.subarray(end), new EventParser(end))
    assert.equal(names(rest), recorded.slice(n + 1))
    assert.is(rest.at(-1)?.end ?? bytes.length - 2, bytes.length - 2)
  }
})

test('keeps a half-written event until it is whole', () => {
  const bytes = Buffer.from(makeEvent(1))
  const parser = new EventParser()
  for (let at = 0; at < bytes.length - 3; at++) assert.equal(parser.push(bytes.subarray(at, at + 1)), [])
  assert.equal(names(parser.push(bytes.subarray(bytes.length - 3))), ['vm/e1'])
})

test('finds its way through garbage', () => {
  for (let round = 0; round < 300; round++) {
    const pieces: Buffer[] = []
    const wanted: string[] = []
    for (let n = 0; n < 8; n++) {
      if (random.below(2) === 0) pieces.push(garbage(random))
      else {
        pieces.push(Buffer.from(makeEvent(n)))
        wanted.push(`vm/e${n}`)
      }
    }
    assert.equal(names(parse(Buffer.concat(pieces))), wanted)
  }
})

test('survives bytes of any kind, and JSON that is no event', () => {
  for (let round = 0; round < 300; round++)
    parse(Buffer.from(Array.from({ length: random.below(2000) }, () => random.below(256))))
  const others = ['{}', '{"source":1,"event":2}', '[1]', '{"source":"a"}', '{nonsense}', 'null', '"{"']
  assert.equal(names(parse(Buffer.from(`${others.join('\n\n')}\n\n${makeEvent(5)}`))), ['vm/e5'])
})

test('an event without an end takes no more than its share of memory', () => {
  const parser = new EventParser()
  parser.push(Buffer.from('{ "a": "'))
  const mib = Buffer.alloc(1 << 20, 'x')
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 64; n++) assert.equal(parser.push(mib), [])
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20)
  assert.equal(names(parser.push(Buffer.from(`\n${makeEvent(7)}`))), ['vm/e7'])
})

test.run()
