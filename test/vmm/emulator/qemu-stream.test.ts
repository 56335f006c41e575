import * as assert from 'uvu/assert'
import { StreamSplitter } from '../../../src/vmm/emulator/backend/qemu-stream.ts'
import { makeRandom, takeSeed } from '../../support/seed.ts'
import { suite } from '../../support/suite.ts'

const test = suite("emulator: QEMU's stream of a saved guest")
const random = makeRandom(takeSeed())

const page = (letter: string): Buffer => Buffer.alloc(4096, letter)
const size = 64 << 10

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: number): Buffer => Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)])
const name = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
const byte = (value: number): Buffer => Buffer.from([value])
const footer = Buffer.concat([byte(0x7e), u32(2)])
const end = u64(0x10)

const memory = name('pc.ram')
const rom = name('pc.bios')

/** Everything before the pages. */
const beginning = Buffer.concat([
  ...[u32(0x5145564d), u32(3), byte(7), u32(3), Buffer.from('q35')],
  ...[byte(5), name('configuration/capabilities'), u32(1), u32(1), name('x-ignore-shared')],
  ...[byte(1), u32(2), name('ram'), u32(0), u32(4)],
  ...[u64((size + 8192) | 4), memory, u64(size), u64(0), rom, u64(8192), u64(0xffe000), end, footer],
])
const part = Buffer.concat([byte(2), u32(2)])
const last = Buffer.concat([byte(3), u32(2)])
const command = Buffer.concat([byte(8), Buffer.from([0, 11, 0, 2]), Buffer.from('ok')])
const romPages = Buffer.concat([u64(0 | 8), rom, page('r'), u64(4096 | 8 | 0x20), page('s')])
const devices = Buffer.from('what its devices are, which looks like anything: \x02\x00\x00\x00\x02\x7e')

const parts = [
  beginning,
  part,
  Buffer.concat([
    u64(0 | 8),
    memory,
    page('a'),
    u64(4096 | 2 | 0x20),
    byte(0),
    u64(8192 | 8 | 0x20),
    page('b'),
  ]),
  romPages,
  Buffer.concat([u64(12288 | 8), memory, page('c')]),
  end,
  footer,
  command,
  last,
  // Pages that have changed meanwhile: one that is other now, and one that is empty.
  Buffer.concat([u64(0 | 8), memory, page('A'), u64(8192 | 2 | 0x20), byte(0)]),
  end,
  footer,
  devices,
]
const stream = Buffer.concat(parts)
const rest = Buffer.concat(parts.filter((_, n) => ![2, 4, 9].includes(n)))

function split(pieces: Iterable<Buffer>): { readonly memory: Buffer; readonly rest: Buffer } {
  const splitter = new StreamSplitter()
  const found = Buffer.alloc(size)
  for (const piece of pieces)
    for (const { at, pages } of splitter.push(piece)) Buffer.concat(pages).copy(found, at)
  const rest = splitter.end()
  assert.is(splitter.size, size)
  return { memory: found, rest }
}

const wanted = Buffer.alloc(size)
page('A').copy(wanted, 0)
page('c').copy(wanted, 12288)

test('the memory is taken out, all else is as it was', () => {
  const whole = split([stream])
  assert.ok(whole.memory.equals(wanted))
  assert.ok(whole.rest.equals(rest))
})

test('however it comes', () => {
  assert.equal(split(Array.from(stream, value => byte(value))), { memory: wanted, rest })
  for (let n = 0; n < 100; n += 1) {
    const pieces: Buffer[] = []
    for (let at = 0; at < stream.length; ) {
      const bytes = 1 + random.below(9000)
      pieces.push(stream.subarray(at, at + bytes))
      at += bytes
    }
    const { memory, rest: left } = split(pieces)
    assert.ok(memory.equals(wanted) && left.equals(rest))
  }
})

test('pages beside each other are one run', () => {
  const runs = new StreamSplitter().push(stream)
  assert.equal(
    runs.map(({ at, pages }) => [at, pages.length]),
    [
      [0, 1],
      [8192, 2],
      [0, 1],
      [8192, 1],
    ],
  )
})

const failures: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'another beginning': Buffer.concat([u32(1), u32(3), stream.subarray(8)]),
  'another version': Buffer.concat([u32(0x5145564d), u32(4), stream.subarray(8)]),
  'an unknown section': Buffer.concat([beginning, byte(9), stream.subarray(beginning.length)]),
  'another section than the memory': Buffer.concat([
    beginning,
    byte(1),
    u32(3),
    name('disk'),
    u32(0),
    u32(1),
  ]),
  'an unknown page': Buffer.concat([beginning, part, u64(0 | 0x40), memory, page('a')]),
  'a page that is full of ones': Buffer.concat([beginning, part, u64(0 | 2), memory, byte(1)]),
  'a page beyond the memory': Buffer.concat([beginning, part, u64(size | 8), memory, page('a')]),
  'no footer': Buffer.concat([beginning, part, end, part]),
}

for (const [what, bytes] of Object.entries(failures))
  test(`what is not understood is refused: ${what}`, () =>
    assert.throws(() => split([bytes]), /QEMU's stream/))

test('a stream that is cut within the memory is refused', () => {
  for (const bytes of [10, beginning.length, beginning.length + 5000, stream.length - devices.length - 1])
    assert.throws(() => split([stream.subarray(0, bytes)]), /ended within its memory/)
})

test.run()
