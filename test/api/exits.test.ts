// @timeout 200
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('api: what keeps a process alive')
const program = fileURLToPath(new URL('leaver.js', import.meta.url))
/** How long a process is watched that is to stay, in `ms`. */
const stayMs = 400

const leave = (home: string, way: string, what: string): ChildProcess =>
  spawn(process.execPath, [program, home, way, what], { stdio: ['ignore', 'pipe', 'pipe'] })

const withBox = (use: (home: string) => Promise<void>): Promise<void> =>
  withTempDir(async home => {
    {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
      const box = await runtime.create({ name: 'it', image: smallGuest('idle') })
      await box.start()
    }
    await use(home)
    await using runtime = await BoxRuntime.open({ home })
    await runtime.remove('it', { force: true })
  })

/** Ends by itself, with nothing to complain of. */
const ends = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, 'exit')
  const said = [child.stdout, child.stderr].map(stream => text(stream as NodeJS.ReadableStream))
  const [[code, signal], stdout, stderr] = await Promise.all([ended, ...said])
  assert.equal([code, signal, stdout, stderr], [0, null, 'done\n', ''])
}

const stays = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, 'exit')
  await once(child.stdout as NodeJS.EventEmitter, 'data')
  assert.is(await Promise.race([ended, delay(stayMs, 'stays')]), 'stays')
  child.kill('SIGKILL')
  await ended
}

const idle = ['nothing', 'subscriptions', 'closed subscriptions']
const waiting = ['events', 'console', 'wait', 'waitFor']

test('a subscription keeps no owner alive, a wait does', () =>
  withBox(async home => {
    for (const what of idle) await ends(leave(home, 'open', what))
    for (const what of waiting) await stays(leave(home, 'open', what))
  }))

test('a subscription keeps no client alive, a wait does', () =>
  withBox(async home => {
    await using owner = await BoxRuntime.open({ home })
    await Promise.all(idle.map(what => ends(leave(home, 'connect', what))))
    await Promise.all(waiting.map(what => stays(leave(home, 'connect', what))))
    assert.is(await owner.exists('it'), true)
  }))

test('what a client waits for keeps the owner no longer than its own work', () =>
  withBox(async home => {
    const owner = leave(home, 'open', 'events')
    await once(owner.stdout as NodeJS.EventEmitter, 'data')
    const clients = [...waiting, 'events'].map(what => leave(home, 'connect', what))
    await Promise.all(clients.map(client => once(client.stdout as NodeJS.EventEmitter, 'data')))
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    // They go on at this one, which has nothing else to do.
    await ends(leave(home, 'open', 'a moment'))
    for (const client of clients) {
      client.kill('SIGKILL')
      await once(client, 'exit')
    }
  }))

test.run()
