// @timeout 60

import { once } from 'node:events'
import * as assert from 'uvu/assert'
import { window } from '../../../src/vmm/images/agent-protocol.ts'
import { suite } from '../../support/suite.ts'
import { outcome, program, shell, textOf, withAgent } from './with-agent.ts'

const test = suite('guest channel')

test('outputs apart, the exit code, the signal', () =>
  withAgent(async channel => {
    assert.equal(await outcome(channel.run(shell('echo out; echo err >&2; exit 7'))), {
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
    })
    assert.equal(await outcome(channel.run(shell('kill -TERM $$'))), {
      stdout: '',
      stderr: '',
      exitCode: 143,
      signal: 'SIGTERM',
    })
    assert.ok((await channel.run(program(['true'])).started) > 1)
  }))

test('arguments and variables arrive byte for byte, and no shell sees them', () =>
  withAgent(async channel => {
    const nasty = ['', ' ', "'", '"', '$(id)', '`id`', '\n', '\\', '*', '%s', 'ü→', '-n', '--', 'a=b']
    const { stdout } = await outcome(channel.run(program(['printf', '[%s]', ...nasty])))
    assert.is(stdout, nasty.map(word => `[${word}]`).join(''))
    const env = { A: '$(id)', B: 'x=y', C: '' }
    const seen = (await outcome(channel.run(program(['env'], { env })))).stdout as string
    for (const line of ['A=$(id)', 'B=x=y', 'C=']) assert.ok(seen.split('\n').includes(line), line)
  }))

test('what cannot be run is a result: 127, 126, and why', () =>
  withAgent(async channel => {
    const missing = await outcome(channel.run(program(['/no/such/program'])))
    assert.is(missing.exitCode, 127)
    assert.match(missing.stderr as string, 'cannot run /no/such/program: No such file or directory')
    assert.is((await outcome(channel.run(program(['/'])))).exitCode, 126)
    const nowhere = await outcome(channel.run(program(['true'], { workdir: '/no/such/dir' })))
    assert.is(nowhere.exitCode, 126)
    assert.match(nowhere.stderr as string, 'cannot enter /no/such/dir')
    const nobody = await outcome(channel.run(program(['true'], { user: 'no-such-user' })))
    assert.match(nobody.stderr as string, 'unknown user no-such-user')
  }))

test('input, its end, and a program that reads none of it', () =>
  withAgent(async channel => {
    const cat = channel.run(program(['cat']))
    cat.stdin.end('hi')
    assert.is((await outcome(cat)).stdout, 'hi')
    const deaf = channel.run(program(['true']))
    deaf.stdin.write(Buffer.alloc(4 << 20))
    assert.is((await outcome(deaf)).exitCode, 0)
  }))

test('more than any window, both ways at once, whole and in order', () =>
  withAgent(async channel => {
    const size = 16 * window + 1
    const given = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz0')
    const cat = channel.run(program(['cat']))
    cat.stdin.end(given)
    const parts: Uint8Array[] = []
    for await (const bytes of cat.stdout) parts.push(bytes)
    assert.ok(Buffer.concat(parts).equals(given))
  }))

test('an output that nobody reads holds up its own program only, and takes no memory', () =>
  withAgent(async channel => {
    const loud = channel.run(program(['yes']))
    for (let n = 0; n < 20; n++) assert.is((await outcome(channel.run(program(['true'])))).exitCode, 0)
    let read = 0
    for await (const bytes of loud.stdout) {
      read += bytes.length
      if (read > 4 * window) break
    }
    loud.kill('SIGTERM')
    assert.equal(await loud.ended, { exitCode: 143, signal: 'SIGTERM' })
    const ignored = channel.run(shell('head -c 1000000 /dev/zero; exit 3'))
    ignored.stdout.discard()
    ignored.stderr.discard()
    assert.equal(await ignored.ended, { exitCode: 3 })
  }))

test('what is left of its output comes before its end, and what others hold open does not keep it', () =>
  withAgent(async channel => {
    const { stdout, exitCode } = await outcome(channel.run(shell('sleep 1000 & echo $!; exit 4')))
    assert.is(exitCode, 4)
    process.kill(Number(stdout))
    const full = channel.run(shell(`head -c ${window + 100} /dev/zero; exit 5`))
    assert.is((await textOf(full.stdout)).length, window + 100)
    assert.equal(await full.ended, { exitCode: 5 })
  }))

test('signals reach the group, and destroy all of it', () =>
  withAgent(async channel => {
    const trap = channel.run(shell('trap "echo got; exit 9" USR1; echo up; while :; do sleep 0.01; done'))
    const lines: string[] = []
    for await (const bytes of trap.stdout) {
      lines.push(Buffer.from(bytes).toString())
      if (lines.join('') === 'up\n') trap.kill('SIGUSR1')
    }
    assert.is(lines.join(''), 'up\ngot\n')
    assert.equal(await trap.ended, { exitCode: 9 })
    const stubborn = channel.run(shell('trap "" TERM; echo up; while :; do sleep 1; done'))
    for await (const _ of stubborn.stdout) break
    stubborn.kill('SIGTERM')
    stubborn.destroy()
    assert.equal(await stubborn.ended, { exitCode: 137, signal: 'SIGKILL' })
  }))

test('fifty at once', () =>
  withAgent(async channel => {
    const runs = Array.from({ length: 50 }, (_, n) =>
      outcome(channel.run(shell(`cat; echo ${n}; exit ${n}`))),
    )
    const programs = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const run = channel.run(shell(`cat; exit ${n}`))
        run.stdin.end(`${n}`)
        return await outcome(run)
      }),
    )
    for (const [n, found] of programs.entries())
      assert.equal(found, { stdout: `${n}`, stderr: '', exitCode: n })
    channel.close()
    for (const run of runs) await run.catch(() => {})
  }))

test('a terminal: its size, its changes, what is typed, and its end', () =>
  withAgent(async channel => {
    const terminal = { columns: 81, rows: 25 }
    const run = channel.run(shell('stty size; read go; stty size; read line; echo "<$line>"', { terminal }))
    let seen = ''
    for await (const bytes of run.stdout) {
      seen += Buffer.from(bytes).toString()
      if (seen === '25 81\r\n') {
        run.resize(100, 30)
        run.stdin.write('\n')
      }
      if (seen.endsWith('30 100\r\n')) run.stdin.end('hi\n')
    }
    assert.match(seen, '30 100\r\n')
    assert.match(seen, '<hi>\r\n')
    assert.equal(await run.ended, { exitCode: 0 })
    // Not a shell: one that is about to run something may miss it.
    const interrupted = channel.run(program(['cat'], { terminal }))
    interrupted.stdin.write('up\n')
    let echoed = ''
    for await (const bytes of interrupted.stdout) {
      echoed += Buffer.from(bytes).toString()
      if (echoed === 'up\r\nup\r\n') interrupted.stdin.write('\x03')
    }
    assert.equal(await interrupted.ended, { exitCode: 130, signal: 'SIGINT' })
  }))

test('when the agent is gone its programs are lost; when the host is gone they die', () =>
  withAgent(async (channel, agent, connect) => {
    const lost = channel.run(shell('echo $$; exec sleep 1000'))
    const output = lost.stdout[Symbol.asyncIterator]()
    const pid = Number(Buffer.from((await output.next()).value as Uint8Array).toString())
    agent.kill('SIGKILL')
    assert.match(String(await lost.ended.catch(error => error)), 'The channel to the guest is closed')
    assert.ok(channel.closed.aborted)
    process.kill(pid)
    const again = await connect()
    const kept = again.run(shell('echo $$; exec sleep 1000'))
    const line = (await kept.stdout[Symbol.asyncIterator]().next()).value as Uint8Array
    again.close()
    await kept.ended.catch(() => {})
    const stays = Number(Buffer.from(line).toString())
    for (let n = 0; n < 500 && isThere(stays); n++) await new Promise(resolve => setTimeout(resolve, 10))
    assert.not(isThere(stays))
  }))

test('while a snapshot is made, what runs is not ended with the session', () =>
  withAgent(async (channel, agent) => {
    const run = async () => {
      const left = channel.run(shell('echo $$; exec sleep 1000'))
      left.ended.catch(() => {})
      const line = (await left.stdout[Symbol.asyncIterator]().next()).value as Uint8Array
      return Number(Buffer.from(line).toString())
    }
    const pid = await run()
    const began = performance.now()
    await channel.stay(true)
    await channel.stay(false)
    await channel.stay(true)
    assert.ok(performance.now() - began < 1_000, 'the agent has heard it')
    channel.close()
    await channel.stay(true)
    await once(agent, 'exit')
    assert.ok(isThere(pid))
    process.kill(pid)
  }))

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test.run()
