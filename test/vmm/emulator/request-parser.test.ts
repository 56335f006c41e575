import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { type Parsed, RequestParser } from '../../../src/vmm/emulator/http/request-parser.ts'
import { suite } from '../../support/suite.ts'

const test = suite('emulator: the request parser')

const request = fc.record({
  method: fc.constantFrom('GET', 'PUT'),
  path: fc.stringMatching(/^\/[a-z./]{0,40}$/),
  body: fc.string({ maxLength: 3000 }),
  header: fc.stringMatching(/^[a-z ]{0,200}$/),
})

test('good requests come out the same however they are cut into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(request, { maxLength: 5 }),
      fc.array(fc.nat(3000), { maxLength: 30 }),
      (requests, cuts) => {
        const bytes = Buffer.concat(requests.map(format))
        const found = feed(bytes, cuts)
        assert.equal(
          found.map(each =>
            each.type === 'request' ? { ...each.request, body: each.request.body.toString() } : each,
          ),
          requests.map(({ method, path, body }) => ({ method, path, body })),
        )
      },
    ),
    { seed: 20_260_823 },
  )
})

test('no bytes make it fail or fall silent for ever', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 5000 }),
      fc.array(fc.nat(1500), { maxLength: 20 }),
      (junk, cuts) => {
        const found = feed(Buffer.from(junk), cuts)
        assert.ok(found.every(each => ['request', 'continue', 'error'].includes(each.type)))
      },
    ),
    { seed: 20_260_823 },
  )
})

test.run()

function format({
  method,
  path,
  body,
  header,
}: {
  method: string
  path: string
  body: string
  header: string
}): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\nX-Some: ${header}\r\nContent-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ])
}

function feed(bytes: Buffer, cuts: readonly number[]): Parsed[] {
  const parser = new RequestParser()
  const found: Parsed[] = []
  let offset = 0
  for (const length of cuts) {
    found.push(...parser.feed(bytes.subarray(offset, offset + length)))
    offset += length
  }
  return [...found, ...parser.feed(bytes.subarray(offset))]
}
