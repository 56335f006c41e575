import { createServer } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { ApiError } from '../../src/vmm/cloud-hypervisor/api-error.ts'
import { Client } from '../../src/vmm/cloud-hypervisor/client.ts'
import { Transport } from '../../src/vmm/cloud-hypervisor/http.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { answer, type Behaviour, none, says, withServer } from './with-server.ts'

const test = suite('client')
const random = makeRandom(takeSeed())

async function errorOf(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.instance(error, ApiError)
  return error as ApiError
}

test('a call without a body says so, a body comes in one piece', async () => {
  await withServer(says(none), async (client, requests) => {
    await client.act('vm.pause')
    await client.create({ cpus: { boot_vcpus: 1, max_vcpus: 1 } } as never)
    assert.match(requests[0] ?? '', /^PUT \/api\/v1\/vm\.pause HTTP\/1\.1\r\n/)
    assert.match(requests[0] ?? '', /\r\nContent-Length: 0\r\n/)
    assert.match(requests[1] ?? '', /\{"cpus":\{"boot_vcpus":1,"max_vcpus":1\}\}$/)
    assert.not.match(requests.join(''), /transfer-encoding/i)
  })
})

test('what the VMM says is kept, outermost first, in whatever form', async () => {
  const chain = ['Error from API', 'The VM could not boot', 'VM is already created']
  await withServer(says(answer(500, JSON.stringify(chain))), async client => {
    const error = await errorOf(client.act('vm.boot'))
    assert.equal(error.messages, chain)
    assert.is(error.kind, 'refused')
    assert.is(error.status, 500)
  })
  await withServer(says(answer(400, '{ "error": "Invalid HTTP Method.\nUnsupported." }')), async client => {
    assert.equal((await errorOf(client.act('vm.boot'))).messages, ['Invalid HTTP Method.', 'Unsupported.'])
  })
  await withServer(says(answer(500, 'VmNotRunning: VM is not running')), async client => {
    const error = await errorOf(client.act('vm.pause'))
    assert.is(error.kind, 'absent')
    assert.equal(error.messages, ['VmNotRunning: VM is not running'])
  })
  await withServer(says(answer(400, '')), async client => {
    assert.equal((await errorOf(client.act('vm.boot'))).messages, [])
  })
  await withServer(says(answer(429, '["Too Many Requests"]')), async client => {
    assert.is((await errorOf(client.act('vm.boot'))).kind, 'busy')
  })
})

test('a VMM without a VM has no info, by 404 or by 500', async () => {
  for (const status of [404, 500]) {
    const chain = ['Error from API', 'The VM info is not available', 'VM is not created']
    await withServer(says(answer(status, JSON.stringify(chain))), async client => {
      assert.is(await client.info(), undefined)
    })
  }
})

test('numbers beyond what a double holds do no harm', async () => {
  const body = '{"state":"Running","config":{"x":18446744073709551615}}'
  await withServer(says(answer(200, body)), async client => {
    assert.is((await client.info())?.vm, 'running')
  })
})

test('answers that are none are told as such', async () => {
  const cases: [string, ApiError['kind']][] = [
    ['SSH-2.0-OpenSSH_9.2\r\n', 'garbled'],
    [`HTTP/1.1 200 \r\nX: ${'y'.repeat(100_000)}\r\n\r\n`, 'garbled'],
    [answer(200, 'true'), 'garbled'],
    [answer(200, '{"state":"Dreaming","config":{}}'), 'garbled'],
    [answer(200, '{"state":"Running"}'), 'garbled'],
    [answer(302, ''), 'garbled'],
  ]
  for (const [text, kind] of cases)
    await withServer(says(text), async client => {
      assert.is((await errorOf(client.info())).kind, kind, text.slice(0, 40))
    })
})

test('an answer without an end is not read to its end', async () => {
  const flood: Behaviour = socket => {
    socket.write('HTTP/1.1 200 \r\nContent-Length: 99999999999\r\n\r\n')
    const piece = Buffer.alloc(256 * 1024, 'x')
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }
  await withServer(flood, async client => {
    assert.is((await errorOf(client.info({ limitMs: 20_000 }))).kind, 'garbled')
  })
})

test('silence, at any point of an answer, ends with the limit', async () => {
  const whole = answer(200, '{"state":"Running","config":{}}')
  for (const length of [0, 5, 60, whole.length - 3]) {
    await withServer(says(whole.slice(0, length)), async client => {
      const began = performance.now()
      const error = await errorOf(client.info({ limitMs: 60 }))
      assert.is(error.kind, 'silent', `after ${length} bytes`)
      assert.ok(performance.now() - began < 2_000)
    })
  }
})

test('a cut, at any point of an answer, is told as one', async () => {
  const whole = answer(200, '{"state":"Running","config":{}}')
  for (const length of [0, 5, 60, whole.length - 3]) {
    await withServer(
      socket => socket.end(whole.slice(0, length)),
      async client => {
        const { kind } = await errorOf(client.info())
        assert.ok(kind === 'cut' || (kind === 'garbled' && length > 0), `${kind} after ${length} bytes`)
      },
    )
    await withServer(
      socket => socket.write(whole.slice(0, length), () => socket.destroy()),
      async client => {
        assert.ok(['cut', 'garbled'].includes((await errorOf(client.info())).kind))
      },
    )
  }
})

test('a call is given up when its signal fires, before and while it is sent', async () => {
  await withServer(
    () => {},
    async (client, requests) => {
      assert.is((await errorOf(client.ping({ signal: AbortSignal.abort() }))).kind, 'aborted')
      assert.is((await errorOf(client.ping({ signal: AbortSignal.timeout(30) }))).kind, 'aborted')
      assert.is(requests.length, 1)
    },
  )
})

test('calls wait for their turn, and a call given up does not shift the answers', async () => {
  let number = 0
  const slow: Behaviour = socket => {
    const mine = ++number
    setTimeout(() => socket.write(answer(200, `{"version":"${mine}.0","pid":${mine}}`)), mine === 1 ? 100 : 5)
  }
  await withServer(slow, async (client, requests) => {
    const first = errorOf(client.ping({ limitMs: 30 }))
    const rest = [client.ping(), client.ping(), client.ping()]
    assert.ok(client.isBusy)
    assert.is((await first).kind, 'silent')
    assert.equal(
      (await Promise.all(rest)).map(({ pid }) => pid),
      [2, 3, 4],
    )
    assert.is(requests.length, 4)
    assert.not(client.isBusy)
  })
})

test('nobody at the socket is a cut', async () => {
  await withTempDir(async dir => {
    const client = new Client(join(dir, 'none'))
    assert.is((await errorOf(client.ping())).kind, 'cut')
    client.close()
  })
})

test('a body that is too long is not sent', async () => {
  await withServer(says(none), async (client, requests) => {
    const error = await errorOf(client.create({ payload: { cmdline: 'x'.repeat(52_000) } } as never))
    assert.is(error.kind, 'refused')
    assert.is(requests.length, 0)
  })
})

test('random bytes are never taken for an answer', async () => {
  for (let round = 0; round < 40; round++) {
    const noise = Buffer.from(Array.from({ length: 1 + random.below(400) }, () => random.below(256)))
    const head = random.pick(['', 'HTTP/1.1 200 \r\n', 'HTTP/1.1 200 \r\nContent-Length: 10\r\n\r\n'])
    await withServer(
      socket => socket.end(Buffer.concat([Buffer.from(head), noise])),
      async client => {
        await errorOf(client.ping({ limitMs: 1_000 }))
      },
    )
  }
})

test('one connection is all that is used', async () => {
  await withTempDir(async dir => {
    let connections = 0
    const server = createServer(socket => {
      connections++
      socket.on('data', () => socket.write(answer(200, '{}')))
    })
    await new Promise<void>(resolve => server.listen(join(dir, 's'), resolve))
    const transport = new Transport(join(dir, 's'))
    const call = { method: 'GET', name: 'vmm.ping', limitMs: 1_000 } as const
    await Promise.all(Array.from({ length: 20 }, () => transport.call(call)))
    assert.is(connections, 1)
    transport.close()
    await new Promise(resolve => server.close(resolve))
  })
})

test.run()
