// @timeout 120
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as assert from 'uvu/assert'
import { BoxError } from '../../../src/machines/index.ts'
import { connectGuest, type GuestChannel } from '../../../src/vmm/guest/channel.ts'
import { copyIn } from '../../../src/vmm/guest/copy/copy-in.ts'
import { copyOut } from '../../../src/vmm/guest/copy/copy-out.ts'
import { frameOf } from '../../../src/vmm/guest/frames.ts'
import { window } from '../../../src/vmm/images/agent-protocol.ts'
import { sized } from '../../support/long.ts'
import { makeRandom, takeSeed } from '../../support/seed.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { program } from './with-agent.ts'

const test = suite('agents of a hostile guest')
const random = makeRandom(takeSeed())
const forever = new AbortController().signal

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const held = (): number => {
  collect()
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** A guest whose agent does as it is told, once it has been greeted and asked for a program. */
async function withGuest(
  behave: (socket: Socket) => void,
  body: (channel: GuestChannel, dir: string) => Promise<void>,
): Promise<void> {
  await withTempDir(async dir => {
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write('OK 1\n')
        socket.write(frameOf('h', 0, Buffer.from('1')))
        socket.once('data', () => behave(socket))
      })
    })
    server.listen(join(dir, 'v'))
    await once(server, 'listening')
    const channel = await connectGuest(join(dir, 'v'), forever)
    try {
      await body(channel, dir)
    } finally {
      channel.close()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })
}

/** Writes for as long as it is read. */
function pour(socket: Socket, block: Buffer, most: number): void {
  let said = 0
  const go = () => {
    while (!socket.destroyed && said < most) {
      said += block.length
      if (!socket.write(block)) break
    }
  }
  socket.on('drain', go)
  go()
}

const many = (frame: Buffer): Buffer => Buffer.concat(Array.from({ length: 2_000 }, () => frame))
const one = Buffer.from('x')

test('what is said first is heard before the greeting, and its answer is waited for', () =>
  withTempDir(async dir => {
    const heard: string[] = []
    const server = createServer(socket => {
      socket.once('data', () => {
        socket.write('OK 1\n')
        socket.on('data', bytes => {
          heard.push(bytes.toString('latin1'))
          socket.write(frameOf('h', 0, Buffer.from('1')))
          setTimeout(() => socket.write(frameOf('b', 0, Buffer.from('at last'))), 300)
        })
      })
    })
    server.listen(join(dir, 'v'))
    await once(server, 'listening')
    try {
      const teller = fileURLToPath(new URL('./late-teller.js', import.meta.url))
      const { stdout } = await promisify(execFile)(process.execPath, [teller, join(dir, 'v')])
      assert.is(stdout, 'at last')
      assert.equal(heard, [frameOf('b', 0, Buffer.from('you')).toString('latin1')])
    } finally {
      server.close()
      await once(server, 'close')
    }
  }))

const floods: Readonly<Record<string, Buffer>> = {
  'more than was asked for': frameOf('o', 1, Buffer.alloc(32 << 10)),
  'single bytes': many(frameOf('o', 1, one)),
  'single bytes on both outputs': many(Buffer.concat([frameOf('o', 1, one), frameOf('r', 1, one)])),
  'nothing, often': many(frameOf('o', 1)),
  'frames of programs that are not there': many(frameOf('o', 77, one)),
  'frames of no kind': many(frameOf('?', 1, one)),
  'credit without end': many(frameOf('c', 1, Buffer.from([255, 255, 255, 255]))),
  greetings: many(frameOf('h', 0, Buffer.from('1'))),
}

for (const [what, block] of Object.entries(floods))
  test(`a flood takes no memory: ${what}`, () =>
    withGuest(
      socket => pour(socket, block, 16 << 20),
      async channel => {
        const before = held()
        const run = channel.run(program(['true']))
        const output = run.stdout[Symbol.asyncIterator]()
        await Promise.race([output.next().catch(() => {}), new Promise(resolve => setTimeout(resolve, 300))])
        const grown = held() - before
        assert.ok(grown < 32 << 20, `grown by ${grown >> 20} MiB`)
      },
    ))

const broken: Readonly<Record<string, Buffer>> = {
  'a frame that is too long': Buffer.from([111, 0, 0, 0, 1, 255, 255, 255, 255]),
  'credit that is none': frameOf('c', 1, one),
  'another version': frameOf('h', 0, Buffer.from('999')),
  'more than any window': Buffer.concat(
    Array.from({ length: window / (32 << 10) + 1 }, () => frameOf('o', 1, Buffer.alloc(32 << 10))),
  ),
}

for (const [what, bytes] of Object.entries(broken))
  test(`the session ends: ${what}`, () =>
    withGuest(
      socket => socket.write(bytes),
      async channel => {
        const run = channel.run(program(['true']))
        assert.is((await run.ended.catch(error => error)).name, 'ChannelError')
        assert.is((await run.started.catch(error => error)).name, 'ChannelError')
        assert.ok(channel.closed.aborted)
        assert.is((await channel.run(program(['true'])).ended.catch(error => error)).name, 'ChannelError')
      },
    ))

test('nonsense of any kind ends the session, or is passed over', async () => {
  for (let n = 0; n < sized(60, 1_000); n += 1) {
    const bytes = Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)))
    const types = ['o', 'r', 's', 'c', 'x', 'h', 'p']
    const frames = Array.from({ length: random.below(5) }, () =>
      frameOf(random.pick(types), random.below(3), bytes.subarray(0, random.below(bytes.length))),
    )
    await withGuest(
      socket => socket.end(Buffer.concat([...frames, bytes])),
      async channel => {
        const run = channel.run(program(['true']))
        for await (const _ of run.stdout) break
        await run.ended.catch(() => {})
      },
    ).catch(error => assert.is((error as Error).name, 'ChannelError'))
  }
})

for (const copy of [copyIn, copyOut])
  test(`a copy with a guest that says nothing can be given up: ${copy.name}`, () =>
    withGuest(
      () => {},
      async (channel, dir) => {
        const from = join(dir, 'big')
        writeFileSync(from, Buffer.alloc(4 << 20))
        mkdirSync(join(dir, 'to'))
        const abort = new AbortController()
        const copying = copy({ channel, from, to: join(dir, 'to'), signal: abort.signal })
        setImmediate(() => abort.abort())
        const error = await copying.catch(error => error)
        assert.ok(BoxError.is(error, 'ABORTED'), String(error))
        assert.equal(readdirSync(join(dir, 'to')), [])
        assert.not(channel.closed.aborted)
      },
    ))

test('an agent that never greets is given up', () =>
  withTempDir(async dir => {
    const sockets = new Set<Socket>()
    const server = createServer(socket => void sockets.add(socket)).listen(join(dir, 'v'))
    await once(server, 'listening')
    const abort = new AbortController()
    const connecting = connectGuest(join(dir, 'v'), abort.signal)
    abort.abort()
    assert.is((await connecting.catch(error => error)).name, 'ChannelError')
    assert.ok(await connectGuest(join(dir, 'v'), abort.signal).catch(error => error))
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }))

test.run()
