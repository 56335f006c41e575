// @timeout 120
// @timeout-long 600
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { errorCodes } from 'boxledger'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { frameOf } from '../../src/vmm/guest/frames.ts'
import { anyJson, isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { inABox } from './exec/in-a-box.ts'
import { embedded } from './ways.ts'

const test = suite('api: a hostile client that runs commands')
const seed = takeSeed()

/** How long a connection may say nothing more before it is left, in `ms`. */
const patience = 40

/** Asks for a connection of its own, says all this on it, and gives what comes back. */
async function talk(
  path: string,
  box: string,
  said: readonly Uint8Array[],
  patienceMs = patience,
): Promise<string> {
  const socket = connect(path)
  const chunks: Buffer[] = []
  let idle: NodeJS.Timeout | undefined
  const wait = () => {
    clearTimeout(idle)
    idle = setTimeout(() => socket.destroy(), patienceMs)
  }
  socket.on('data', chunk => {
    chunks.push(chunk)
    wait()
  })
  socket.on('error', () => {}) // it has had enough of us, and closes
  socket.write(
    `GET /v1/box/${box}/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: boxledger-exec\r\n\r\n`,
  )
  for (const bytes of said) socket.write(bytes)
  wait()
  if (!socket.destroyed) await once(socket, 'close')
  clearTimeout(idle)
  return Buffer.concat(chunks).toString('latin1')
}

const bytes = fc.uint8Array({ maxLength: 64 })
const frame = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('x', 'i', 'e', 'k', 'w', 'd', 'c', 'b', 'z', 'l'),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    fc.oneof(
      bytes,
      anyJson.map(value => Buffer.from(JSON.stringify(value) ?? '')),
      fc.constantFrom(...['TERM', '80 24', '0 0', '-1 x', 'NOTHING'].map(text => Buffer.from(text))),
    ),
  )
  .map(([type, content]) => frameOf(type, 1, content))
const begun = fc
  .record({
    id: fc.oneof(fc.stringMatching(/^[0-9a-z]{12}$/), anyJson),
    command: fc.oneof(fc.constantFrom('true', 'no-such-program'), anyJson),
    args: fc.oneof(fc.constant([]), anyJson),
    options: fc.oneof(fc.constant({}), anyJson),
  })
  .map(command => frameOf('x', 1, Buffer.from(JSON.stringify(command))))
const conversation = fc.array(fc.oneof(frame, begun, bytes), { maxLength: 6 })

test('whatever it says: an error with a code, or a command; nothing that was not asked for, and others go on', () =>
  inABox(embedded, async ({ home, runtime, box }) => {
    await box.start()
    const path = join(home, 'owner.sock')
    const tries = fc.asyncProperty(
      fc.constantFrom(box.id, 'none', '..', '%2e'),
      conversation,
      async (id, said) => {
        const answer = await talk(path, id, said)
        const error = /"code":"(\w+)"/.exec(answer)?.[1]
        if (error !== undefined) {
          assert.ok(Object.hasOwn(errorCodes, error), error)
          assert.is.not(error, 'ENGINE_FAILED', answer)
        }
      },
    )
    await fc.assert(tries, { seed, numRuns: sized(150, 3_000), includeErrorInReport: true })
    assert.is((await box.exec('echo', ['still here'])).stdout, 'still here\n')
    assert.ok((await runtime.verify({ replay: true })).ok)
    assert.not(isPolluted())
    let running = 0
    for await (const { event } of runtime.events({ types: ['exec.started', 'exec.ended', 'exec.lost'] }))
      running += event.type === 'exec.started' ? 1 : -1
    assert.is(running, 0, 'who goes away ends what he has asked for')
  }))

test('an ID that was used is not used again, and what it ran is not run again', () =>
  inABox(embedded, async ({ home, runtime, box }) => {
    await box.start()
    const command = { id: 'abcdefghijkl', command: 'true', args: [], options: {} }
    const said = [frameOf('x', 1, Buffer.from(JSON.stringify(command)))]
    const path = join(home, 'owner.sock')
    assert.match(await talk(path, box.id, said, 5_000), '"exitCode":0')
    assert.match(await talk(path, box.id, said, 5_000), '"code":"INVALID_ARGUMENT"')
    assert.is((await runtime.metrics()).executions, 1)
  }))

test('another path, another protocol', () =>
  inABox(embedded, async ({ home, box }) => {
    const path = join(home, 'owner.sock')
    assert.match(await talk(path, `${box.id}/x`, []), /^HTTP\/1\.1 400 /)
    const socket = connect(path)
    socket.write('GET /v1/owner HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), /^HTTP\/1\.1 400 /)
    socket.destroy()
  }))

test.run()
