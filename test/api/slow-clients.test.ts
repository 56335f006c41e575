import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('api: clients that do not read')

const kib = 1024
/** More than the kernel holds of a Unix socket, both ends together, in `bytes`. */
const kernelBytes = 512 * kib
/** A line, and what HTTP puts around it: all that the owner may have ready, in `bytes`. */
const readyBytes = 64 * kib

/** Connections that this process accepts from now on. */
function accepted(): Disposable & { readonly sockets: readonly Socket[] } {
  const sockets: Socket[] = []
  const hear = (message: unknown) => sockets.push((message as { socket: Socket }).socket)
  subscribe('net.server.socket', hear)
  return { sockets, [Symbol.dispose]: () => unsubscribe('net.server.socket', hear) }
}

/** Asks for a stream, and leaves its bytes where they are. */
const unread = (home: string, path: string, args: unknown[]): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(home, 'owner.sock'), path, method: 'POST', agent: false })
    asked.once('response', resolve).once('error', reject)
    asked.end(JSON.stringify(args))
  })

/** Positions of what is read, up to one. */
async function positionsOf(stream: IncomingMessage, last: number): Promise<number[]> {
  const positions: number[] = []
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) positions.push((JSON.parse(line) as LedgerRecord).position)
    if ((positions.at(-1) ?? 0) >= last) break
  }
  return positions
}

const streams: Readonly<Record<string, readonly [path: string, args: unknown[]]>> = {
  events: ['/v1/stream/events', [{ follow: true }]],
  changes: ['/v1/stream/changes', [null]],
  'a durable subscription': ['/v1/stream/subscription', ['it', 'me', null, { follow: true }]],
}

test('the owner writes as much as the kernel takes, and has nothing more ready', () =>
  withTempDir(async home => {
    await using owner = await BoxRuntime.open({ home, durability: 'process' })
    using server = accepted()
    const unreads = new Map<string, { readonly stream: IncomingMessage; readonly socket: Socket }>()
    for (const [what, [path, args]] of Object.entries(streams)) {
      const stream = await unread(home, path, args)
      const socket = server.sockets[unreads.size]
      assert.ok(socket !== undefined && server.sockets.length === unreads.size + 1)
      unreads.set(what, { stream, socket })
    }
    const labels = { long: 'x'.repeat(256), longer: 'y'.repeat(256) }
    const count = 2_000
    for (let n = 0; n < count; n += 100) {
      await Promise.all(Array.from({ length: 100 }, () => owner.create({ labels })))
      for (let turns = 0; turns < 3; turns += 1) await turn()
      for (const [what, { socket }] of unreads)
        assert.ok(socket.writableLength < readyBytes, `${what}: ${socket.writableLength} bytes are ready`)
    }
    let whole = 0
    for await (const record of owner.events()) whole += JSON.stringify(record).length
    // All that was made would be several times as much.
    assert.ok(whole > 3 * (kernelBytes + readyBytes), `${whole} bytes were made`)
    for (const [what, { stream, socket }] of unreads) {
      const { bytesWritten } = socket
      assert.ok(bytesWritten < kernelBytes + readyBytes, `${what}: ${bytesWritten} bytes were written`)
      const positions = await positionsOf(stream, count)
      const from = positions[0] ?? 0
      assert.ok(from <= 1)
      assert.equal(
        positions,
        Array.from({ length: count + 1 - from }, (_, n) => from + n),
        what,
      )
      assert.ok(socket.bytesWritten > bytesWritten)
      stream.destroy()
    }
    // A connection that ends leaves nothing behind, whatever it was in the middle of.
    await eventually(async () => (await owner.subscriptions.list()).every(({ active }) => !active))
  }))

test.run()
