// @timeout 120
// @timeout-long 300
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import { ApiError } from '../../src/vmm/cloud-hypervisor/api-error.ts'
import type { Client } from '../../src/vmm/cloud-hypervisor/client.ts'
import { isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { calls, lieOf } from './lies.ts'
import { answer, none, withServer } from './with-server.ts'

const test = suite('client of a VMM that lies')
const random = makeRandom(takeSeed())
const { below, pick } = random

/** How long a call may take, in `ms`: most lies are seen at once. */
const limitMs = 60

const call = (client: Client, name: (typeof calls)[number]): Promise<unknown> => {
  if (name === 'vmm.ping') return client.ping({ limitMs })
  if (name === 'vm.info') return client.info({ limitMs })
  if (name === 'vm.create') return client.create({} as never, { limitMs })
  return client.act(name, { limitMs })
}

/** What came of a call is what it should be, in kind and in size. */
const isSound = (result: unknown): boolean => {
  if (result instanceof ApiError)
    return (
      result.message.length < 20_000 &&
      result.messages.length <= 16 &&
      result.messages.every(text => text.length <= 1_000)
    )
  if (result === undefined) return true
  const { version, pid, vm, config } = result as Record<string, unknown>
  if (typeof version === 'string')
    return version.length <= 64 && (pid === undefined || typeof pid === 'number')
  return (
    ['created', 'running', 'paused'].includes(String(vm)) && typeof config === 'object' && config !== null
  )
}

const settle = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

/** Says it all at once, or bit by bit; and then nothing more, or goodbye. */
const say = (socket: Socket, lie: Buffer): void => {
  const at = below(3) === 0 ? below(lie.length + 1) : lie.length
  const ending = below(3)
  socket.write(lie.subarray(0, at), () => {
    const end = () => {
      if (ending === 0) socket.end()
      else if (ending === 1) socket.destroy()
    }
    if (at < lie.length) socket.write(lie.subarray(at), end)
    else end()
  })
}

test('whatever it says, however it ends: an answer that is one, or an error, soon; and the next call is not mistaken', async () => {
  let lying = true
  const seen = new Map<string, number>()
  const behave = (socket: Socket, request: string): void => {
    if (lying) say(socket, lieOf(random))
    else if (request.startsWith('GET /api/v1/vmm.ping'))
      socket.write(answer(200, '{"version":"v53.0.0","pid":7}'))
    else socket.write(none)
  }
  await withServer(behave, async client => {
    for (let n = 0; n < sized(500, 5_000); n++) {
      lying = true
      const name = pick(calls)
      const began = performance.now()
      const result = await settle(call(client, name))
      const what = `seed ${random.seed}, case ${n}, ${name}: ${String(result).slice(0, 500)}`
      assert.ok(isSound(result), what)
      assert.ok(performance.now() - began < limitMs + 2_000, what)
      const kind = result instanceof ApiError ? result.kind : 'answered'
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
      if (n % 5 > 0) continue
      lying = false
      // What it has said too much may be met by one call, not by two.
      await settle(client.ping({ limitMs: 5_000 }))
      assert.equal(await client.ping({ limitMs: 5_000 }), { version: 'v53.0.0', pid: 7 }, what)
    }
  })
  for (const kind of ['answered', 'refused', 'garbled', 'cut', 'silent', 'busy'])
    assert.ok(seen.has(kind), `${kind} among ${JSON.stringify([...seen])}`)
  assert.not(isPolluted())
  process.stdout.write(`\nlying answers: ${JSON.stringify(Object.fromEntries(seen))}\n`)
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What this process holds, without its garbage, in `bytes`. */
const held = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Answers that never end, in every place where one may. */
const endless: Readonly<Record<string, readonly [start: string, more: string]>> = {
  body: ['HTTP/1.1 200 \r\nContent-Length: 99999999999\r\n\r\n', 'x'],
  'body without a length': ['HTTP/1.1 200 \r\n\r\n', 'x'],
  chunks: ['HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
  'empty words': ['HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n', '1;a=b\r\nx\r\n'],
  trailers: ['HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'A: b\r\n'],
  headers: ['HTTP/1.1 200 \r\n', 'A: b\r\n'],
  header: ['HTTP/1.1 200 \r\nA: ', 'b'],
  'status line': ['HTTP/1.1 200 ', 'b'],
  'go on': ['', 'HTTP/1.1 100 Continue\r\n\r\n'],
  'early hints': ['', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'],
  answers: ['', none],
  'line ends': ['', '\r\n'],
  nothing: ['', ''],
}

test('interim answers are read over, but not without end', async () => {
  const [, interim] = endless['go on'] as readonly [string, string]
  await withServer(
    socket => void socket.write(interim.repeat(15) + none),
    client => client.act('vm.pause', { limitMs: 60_000 }),
  )
  await withServer(
    socket => void socket.write(interim.repeat(16)),
    async client => {
      const error = await settle(client.info({ limitMs: 60_000 }))
      assert.ok(error instanceof ApiError && error.kind === 'garbled', JSON.stringify(error))
    },
  )
})

test('an answer that never ends is given up at its limit or before, and takes no memory', async () => {
  for (const [what, [start, more]] of Object.entries(endless)) {
    const block = Buffer.from(more.repeat(Math.ceil((64 << 10) / Math.max(1, more.length))))
    let said = 0
    const behave = (socket: Socket): void => {
      const pour = () => {
        while (!socket.destroyed && block.length > 0) {
          said += block.length
          if (!socket.write(block)) break
        }
      }
      socket.on('drain', pour)
      socket.write(start)
      pour()
    }
    await withServer(behave, async client => {
      const before = held()
      const began = performance.now()
      const error = await settle(client.info({ limitMs: 700 }))
      // Many answers to one call are one, and a connection that is closed.
      assert.ok(error instanceof ApiError || what === 'answers', `${what}: ${JSON.stringify(error)}`)
      assert.ok(performance.now() - began < 5_000, what)
      const grown = held() - before
      assert.ok(grown < 64 << 20, `${what}: grown by ${grown >> 20} MiB for ${said >> 20} MiB said`)
    })
  }
})

test.run()
