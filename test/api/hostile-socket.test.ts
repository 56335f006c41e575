// @timeout 300
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { BoxRuntime, errorCodes } from 'boxledger'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { anyJson, isPolluted, oddText, paths } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('api: a hostile client of the owner’s socket')
const seed = takeSeed()
const runs = sized(200, 5_000)
/** What a stream that has begun is given to say more, in `ms`. */
const patience = 40

interface Target {
  readonly owner: BoxRuntime
  readonly path: string
  position(): number
}

const withOwner = (use: (target: Target) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    await using owner = await BoxRuntime.open({ home, vmm: { binary: '/nowhere/vmm' } })
    let position = 0
    owner.changes$.subscribe(info => {
      position = info.position
    })
    await owner.create({ name: 'victim', image: { kernel: '/k' } })
    await use({ owner, path: join(home, 'owner.sock'), position: () => position })
    assert.is(await owner.exists('victim'), true)
    assert.ok((await owner.verify({ replay: true })).ok)
    assert.not(isPolluted())
  })

/**
 * Sends bytes and gives what comes back, until nothing has come for a while. `leave`: when to leave although nothing has
 * come at all.
 */
const talk = (path: string, bytes: Uint8Array | string, leave: 'at once' | 'soon' | 'never' = 'never') =>
  new Promise<string>((resolve, reject) => {
    const socket: Socket = connect(path)
    const chunks: Buffer[] = []
    let idle: NodeJS.Timeout | undefined
    const wait = () => {
      clearTimeout(idle)
      idle = setTimeout(() => socket.destroy(), patience)
    }
    socket.on('data', chunk => {
      chunks.push(chunk)
      wait()
    })
    // ECONNRESET, EPIPE: it has had enough of us.
    socket.on('error', error => {
      if (!['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) reject(error)
    })
    socket.on('close', () => {
      clearTimeout(idle)
      resolve(Buffer.concat(chunks).toString('latin1'))
    })
    socket.write(bytes, () => {
      if (leave === 'at once') socket.destroy()
      else if (leave === 'soon') wait()
    })
  })

const post = (path: string, body: string, headers: readonly string[] = []): string =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: owner',
    'Content-Type: application/json',
    'Connection: close',
    ...(headers.length > 0 ? headers : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '',
    body,
  ].join('\r\n')

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)

/** The code of an answer's error; undefined if it has none. */
const codeIn = (answer: string): string | undefined => {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  const code = /\{"error":\{"code":"([A-Z_]+)","message":/.exec(body)?.[1]
  if (code !== undefined) assert.ok(Object.hasOwn(errorCodes, code), code)
  return code
}

const verbs = [
  ...[
    'create',
    'getOrCreate',
    'get',
    'getInfo',
    'exists',
    'listInfo',
    'remove',
    'rename',
    'resolve',
    'verify',
    'acknowledge',
    'leaveSubscription',
    'listSubscriptions',
    'removeSubscription',
  ],
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty', '', 'fly', 'adopt/../create'],
]
const boxVerbs = [
  'info',
  'start',
  'stop',
  'restart',
  'pause',
  'resume',
  'remove',
  'wait',
  'send',
  '__proto__',
]
const streams = ['events', 'history', 'changes', 'boxes', 'subscription', 'constructor', 'fly']
const boxStreams = ['events', 'states', 'console', '__proto__']

const encoded = oddText.map(text => encodeURIComponent(Buffer.from(text).toString()))
const id = fc.oneof(encoded, fc.constantFrom('victim', ...paths.map(encodeURIComponent), '%zz', '%'))
const path = fc.oneof(
  fc.constantFrom(...verbs).map(verb => `/v1/call/${verb}`),
  fc.constantFrom(...streams).map(name => `/v1/stream/${name}`),
  fc.tuple(id, fc.constantFrom(...boxVerbs)).map(([box, verb]) => `/v1/box/${box}/call/${verb}`),
  fc.tuple(id, fc.constantFrom(...boxStreams)).map(([box, name]) => `/v1/box/${box}/stream/${name}`),
  encoded.map(rest => `/${rest}`),
  fc.constantFrom(
    '/v1/owner',
    '/',
    '/v2/call/create',
    '*',
    '/v1/call/create?x=1#y',
    `/${'x'.repeat(20_000)}`,
  ),
)
const args = fc.oneof(
  { weight: 4, arbitrary: fc.array(anyJson, { maxLength: 4 }).map(value => JSON.stringify(value)) },
  { weight: 1, arbitrary: anyJson.map(value => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '[',
      '[}',
      '[1,]',
      '\ufeff[]',
      '[NaN]',
      'nonsense',
      '[{"__proto__":{"cpus":2}}]',
      '[{"name":"a","constructor":1}]',
      '[{"labels":{"__proto__":"x"}}]',
      '[{"labels":{"constructor":"x"},"cpus":1e400}]',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `[{"env":{"A":"${'x'.repeat(200_000)}"}}]`,
    ),
  },
)

test('JSON of any kind to any verb: a code for each that is refused, and nothing written', () =>
  withOwner(async ({ path: socket, position }) => {
    const counts = { tried: 0, refused: 0, written: 0 }
    const tries = fc.asyncProperty(path, args, async (where, body) => {
      const before = position()
      const answer = await talk(socket, post(where, body))
      counts.tried++
      const status = statusOf(answer)
      const code = codeIn(answer)
      // Beyond 16 KiB of head it is Node's own answer, without a body.
      assert.ok(
        status === 200 || code !== undefined || status === 431 || status === 400,
        answer.slice(0, 300),
      )
      assert.ok(status !== 500 || code !== 'ENGINE_FAILED', answer.slice(0, 500))
      if (code !== 'INVALID_ARGUMENT' && code !== 'UNSUPPORTED') return
      counts.refused++
      if (position() !== before) counts.written++
      assert.is(position(), before)
    })
    await fc.assert(tries, { seed, numRuns: runs, includeErrorInReport: true })
    const { tried, refused, written } = counts
    process.stdout.write(`\nhostile JSON: ${tried} tried, ${refused} refused, ${written} written\n`)
  }))

/** A good request, and ways to spoil it. */
const good = [
  post('/v1/call/create', '[{"name":"x"}]'),
  post('/v1/call/exists', '["victim"]'),
  'GET /v1/owner HTTP/1.1\r\nHost: o\r\n\r\n',
  post('/v1/stream/events', '[{}]', ['Transfer-Encoding: chunked', '', '4', '[{}]', '0', '', '']),
] as const

const spoiled: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      fc.nat(),
    )
    .map(([text, flips, end]) => {
      const bytes = Buffer.from(text, 'latin1')
      for (const [at, byte] of flips) bytes[at % bytes.length] = byte
      return bytes.subarray(0, end % 3 === 0 ? end % bytes.length : bytes.length)
    }),
  fc
    .constantFrom(
      post('/v1/call/exists', '["x"]', ['Content-Length: 5', 'Content-Length: 50']),
      post('/v1/call/exists', '["x"]', ['Content-Length: -1']),
      post('/v1/call/exists', '["x"]', ['Content-Length: 99999999999999999999']),
      post('/v1/call/exists', '["x"]', ['Content-Length: 5', 'Transfer-Encoding: chunked']),
      post('/v1/call/exists', '', ['Transfer-Encoding: chunked', '', 'zz', 'x']),
      post('/v1/call/exists', '', ['Transfer-Encoding: chunked', '', 'ffffffffffffffff', 'x']),
      post('/v1/call/exists', '["x"]', ['Transfer-Encoding: gzip, identity']),
      post('/v1/call/exists', '["x"]', ['Content-Encoding: gzip', 'Content-Length: 5']),
      post('/v1/call/exists', '["x"]', ['Expect: 100-continue', 'Content-Length: 5']),
      post('/v1/call/exists', '["x"]', ['Expect: the moon', 'Content-Length: 5']),
      post('/v1/call/exists', '["x"]', ['Upgrade: websocket', 'Connection: Upgrade', 'Content-Length: 5']),
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
      'CONNECT example.org:80 HTTP/1.1\r\nHost: x\r\n\r\n',
      'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v1/owner HTTP/1.1\r\n\r\n',
      'GET /v1/owner HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET /v1/owner HTTP/1.1\r\nHost: x/../y?z\r\n\r\n',
      'GET http://elsewhere/v1/owner HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET //v1/owner HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v1/owner HTTP/1.0\r\n\r\n',
      'GET /v1/owner HTTP/0.9\r\n\r\n',
      'GET /v1/owner\r\n\r\n',
      `GET /v1/owner HTTP/1.1\r\nHost: x\r\n${'A: b\r\n'.repeat(5_000)}\r\n`,
      `GET /v1/owner HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(50_000)}\r\n\r\n`,
    )
    .map(text => Buffer.from(text, 'latin1')),
)

test('bytes of any kind, whole, half and cut: nothing written, nothing broken', () =>
  withOwner(async ({ owner, path: socket }) => {
    let tried = 0
    const tries = fc.asyncProperty(spoiled, fc.boolean(), async (bytes, cut) => {
      codeIn(await talk(socket, bytes, cut ? 'at once' : 'soon'))
      tried++
    })
    await fc.assert(tries, { seed, numRuns: runs, includeErrorInReport: true })
    // A flip may have left a good request, and nothing else can be written.
    const types = new Set<string>()
    for await (const { event } of owner.events()) types.add(event.type)
    assert.equal([...types], ['box.created'])
    const others = (await owner.listInfo()).filter(({ name }) => name !== 'victim')
    assert.ok(others.every(({ name, spec }) => (name === undefined || name.length === 1) && spec.cpus === 1))
    process.stdout.write(`\nhostile bytes: ${tried} tried, ${others.length} left good, 0 written otherwise\n`)
  }))

test('a body larger than any spec is refused, told of or not', () =>
  withOwner(async ({ path: socket, position }) => {
    const before = position()
    const large = `[{"env":{"A":"${'x'.repeat(2 << 20)}"}}]`
    const chunks = [`${large.length.toString(16)}`, large, '0', '', ''].join('\r\n')
    const answers = await Promise.all([
      talk(socket, post('/v1/call/create', large)),
      talk(socket, post('/v1/call/create', '', ['Transfer-Encoding: chunked', '', chunks])),
      talk(socket, post('/v1/call/create', '[]', ['Content-Length: 9000000000'])),
    ])
    for (const answer of answers) assert.is(codeIn(answer), 'INVALID_ARGUMENT', answer.slice(0, 300))
    assert.is(position(), before)
  }))

test('a body that comes in chunks is a body; paths in it are nobody’s own', () =>
  withOwner(async ({ path: socket, owner }) => {
    const chunked = (where: string, parts: readonly string[]) => {
      const chunks = parts.flatMap(part => [Buffer.byteLength(part).toString(16), part])
      return post(where, '', ['Transfer-Encoding: chunked', '', ...chunks, '0', '', ''])
    }
    const made = await talk(socket, chunked('/v1/call/create', ['[{"name":"ch', 'unked"}', ']']))
    assert.is(statusOf(made), 200, made)
    assert.is(await owner.exists('chunked'), true)
    const images = [
      '{"kernel":"k"}',
      '{"kernel":"/k","initramfs":"./i"}',
      '{"kernel":"/k","disks":[{"path":"d"}]}',
    ]
    for (const image of images) {
      const answer = await talk(socket, post('/v1/call/create', `[{"image":${image}}]`))
      assert.is(codeIn(answer), 'INVALID_ARGUMENT', answer)
    }
  }))

test('requests one after the other on a connection are answered in order', () =>
  withOwner(async ({ path: socket }) => {
    const ask = (name: string) =>
      post('/v1/call/exists', JSON.stringify([name])).replace('Connection: close\r\n', '')
    const answers = await talk(socket, [ask('victim'), ask('nobody'), ask('victim'), good[2]].join(''))
    assert.equal(
      [...answers.matchAll(/\{"value":(true|false|\{)/g)].map(([, value]) => value),
      ['true', 'false', 'true', '{'],
    )
  }))

test('clients who never end what they say keep nobody from being served, nor the owner from closing', async () => {
  const slow: Socket[] = []
  const began = performance.now()
  await withOwner(async ({ owner, path: socket }) => {
    for (let n = 0; n < 200; n++) {
      const client = connect(socket)
      client.on('error', () => {}) // the owner closes
      client.write(good[0].slice(0, 1 + (n % (good[0].length - 1))))
      slow.push(client)
    }
    await using other = await BoxRuntime.connect({ home: socket.replace(/\/owner\.sock$/, '') })
    assert.is(await other.exists('victim'), true)
    assert.is((await owner.listInfo()).length, 1)
  })
  assert.ok(performance.now() - began < 20_000)
  for (const client of slow) client.destroy()
})

test.run()
