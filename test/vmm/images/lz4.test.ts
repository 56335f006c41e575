import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import { isLz4Legacy, Lz4Error, unpackLz4Legacy } from '../../../src/vmm/images/lz4.ts'
import { makeRandom, takeSeed } from '../../support/seed.ts'
import { suite } from '../../support/suite.ts'

const lz4 = suite('lz4')

// Made with `lz4 -l` of lz4 1.9.4.
const words = Buffer.from('AiFMGBsAAACvYm94bGVkZ2VyIAoA/3SwZW5kcyBoZXJlLgo=', 'base64')
const wordsText = `${'boxledger '.repeat(40)}ends here.\n`
// 70,000 times "a": one literal, one match of distance 1 whose length takes 274 bytes of 255, five literals.
const long = Buffer.concat([
  Buffer.from('02214c181d0100001f610100', 'hex'),
  Buffer.alloc(274, 0xff),
  Buffer.from('69506161616161', 'hex'),
])

const codeOf = (input: Buffer, size: number): string => {
  try {
    unpackLz4Legacy(input, size)
    return 'done'
  } catch (error) {
    if (error instanceof Lz4Error) return 'refused'
    throw error
  }
}

/** A block that holds its content as it is. */
const stored = (text: string): Buffer => {
  const data = Buffer.from(text)
  const block = Buffer.concat([Buffer.from([data.length << 4]), data])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([size, block])
}
const magic = Buffer.from('02214c18', 'hex')

lz4('unpacks what the lz4 program packed', () => {
  assert.is(unpackLz4Legacy(words, wordsText.length).toString(), wordsText)
})

lz4('unpacks long lengths and matches that overlap themselves', () => {
  const text = unpackLz4Legacy(long, 70_000)
  const hash = createHash('sha256').update(text).digest('hex')
  assert.is(hash, '66915c0872933db504e7578828dd85b7e74a4e0a061f9756793b89c4151bd4b5')
})

lz4('unpacks several blocks, and none', () => {
  assert.is(unpackLz4Legacy(Buffer.concat([magic, stored('one '), stored('two')]), 7).toString(), 'one two')
  assert.is(unpackLz4Legacy(magic, 0).length, 0)
})

lz4('a block cannot reach into the one before', () => {
  const reaching = Buffer.from('0500000010620200' /* "b", then a match 2 back */, 'hex')
  assert.is(codeOf(Buffer.concat([magic, stored('aaaa'), reaching]), 100), 'refused')
})

lz4('refuses other formats, every cut and every wrong size', () => {
  assert.not.ok(isLz4Legacy(Buffer.from('28b52ffd00', 'hex')))
  assert.is(codeOf(Buffer.from('28b52ffd00', 'hex'), 1), 'refused')
  for (let end = 0; end < words.length; end++)
    assert.is(codeOf(words.subarray(0, end), wordsText.length), 'refused', `${end}`)
  for (const size of [0, 1, wordsText.length - 1, wordsText.length + 1])
    assert.is(codeOf(words, size), 'refused')
})

lz4('garbage gives an error or bytes, never anything else', () => {
  const random = makeRandom(takeSeed())
  for (let round = 0; round < 20_000; round++) {
    const input = Buffer.from(random.below(2) === 0 ? words : long)
    for (let i = random.below(4); i >= 0; i--) input[4 + random.below(input.length - 4)] = random.below(256)
    codeOf(input.subarray(0, 4 + random.below(input.length - 3)), random.below(100_000))
  }
})

lz4.run()
