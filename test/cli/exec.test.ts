// @timeout 120
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { connectGuest } from '../../src/vmm/guest/channel.ts'
import { agentBox, handsTo } from '../api/exec/in-a-box.ts'
import { HostAgents } from '../support/agent.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { Typist } from '../support/typist.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { finish, main, type Shell, shellOn } from './boxledger.ts'

const test = suite('command: exec and run')

const attachedHere = fileURLToPath(new URL('./attached-here.js', import.meta.url))

interface Place {
  readonly shell: Shell
  readonly runtime: BoxRuntime
  /** runs the command at a terminal of 80 × 24, as a person would */
  atTerminal(...args: string[]): Promise<Typist>
}

/** A home with a box `it`; its owner is this process, and the agents of its boxes' guests run here. */
const withOwner = (body: (place: Place) => Promise<void>): Promise<void> =>
  withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const home = join(dir, 'home')
    await using runtime = await BoxRuntime.open({
      home,
      vmm: { binary: instantVmm },
      seams: { hands: handsTo(agents) },
    })
    await runtime.create({ ...agentBox, name: 'it' })
    const own = await connectGuest(agents.path, new AbortController().signal)
    const atTerminal = async (...args: string[]) => {
      const program = own.run({
        args: [process.execPath, main, '--home', home, ...args],
        env: { TERM: 'vt100' },
        workdir: '/',
        user: '',
        terminal: { columns: 80, rows: 24 },
      })
      return new Typist(program)
    }
    try {
      await body({ shell: shellOn(home), runtime, atTerminal })
    } finally {
      own.close()
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

test('the exit code, both outputs, input only where it is asked for, environment, directory', () =>
  withOwner(async ({ shell: { run, start } }) => {
    assert.equal(await run('exec', 'it', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'), {
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    assert.is((await run('exec', 'it', '--', 'sh', '-c', 'kill -KILL $$')).code, 137)
    assert.is((await run('exec', 'it', '--', 'no-such-program')).code, 127)
    const words = ['-e', 'A=1', '-e', 'B=x y', '-w', '/usr']
    assert.is(
      (await run('exec', ...words, 'it', '--', 'sh', '-c', 'echo $A $B; pwd')).stdout,
      '1 x y\n/usr\n',
    )
    assert.equal(await run('exec', 'it', '--', 'cat'), { code: 0, stdout: '', stderr: '' })
    const cat = start('exec', '-i', 'it', '--', 'cat')
    cat.stdin?.end('hi')
    assert.is((await finish(cat)).stdout, 'hi')
    // Its end is the command's, though nobody ends the input.
    assert.is((await finish(start('exec', '-i', 'it', '--', 'true'))).code, 0)
    const told = JSON.parse((await run('--json', 'exec', 'it', '--', 'sh', '-c', 'echo out; exit 3')).stdout)
    assert.match(told.id, /^[0-9a-z]{12}$/)
    assert.equal({ ...told, id: '' }, { id: '', exitCode: 3, stdout: 'out\n', stderr: '', truncated: false })
    assert.is((await run('exec', 'none', '--', 'true')).code, 3)
    assert.is((await run('exec', 'it')).code, 2)
  }))

test('much output through a slow reader, whole', () =>
  withOwner(async ({ shell: { run } }) => {
    const { stdout } = await run('exec', 'it', '--', 'sh', '-c', 'head -c 3000000 /dev/zero; echo end')
    assert.is(stdout.length, 3_000_004)
  }))

test('a signal ends the command in the box, which is then really dead', () =>
  withOwner(async ({ shell: { start } }) => {
    const running = start('exec', 'it', '--', 'sh', '-c', 'echo $$; exec sleep 1000')
    const [first] = await once(running.stdout as NodeJS.EventEmitter, 'data')
    const pid = Number(String(first))
    running.kill('SIGINT')
    assert.is((await finish(running)).code, 130)
    assert.throws(() => process.kill(pid, 0), /ESRCH/)
  }))

test('at a terminal: keys go to the guest, also Ctrl-C; its size follows; the end is put right', () =>
  withOwner(async ({ atTerminal }) => {
    const typist = await atTerminal('exec', '-it', 'it', '--', 'sh')
    await typist.sees(/[$#] $/)
    typist.type('echo $TERM $((6*7)); stty size\n')
    await typist.sees('vt100 42')
    await typist.sees('24 80')
    typist.resize(132, 43)
    typist.type('while [ "$(stty size)" != "43 132" ]; do sleep 0.05; done; echo now $((43 + 0))\n')
    await typist.sees('now 43')
    typist.type('sleep 1000; echo got $?\n')
    await typist.sees('sleep 1000; echo')
    typist.type('\u0003')
    typist.type('echo still here $((1+1))\n')
    await typist.sees('still here 2')
    typist.type('exit 5\n')
    assert.is(await typist.end(), 5)
  }))

test('Ctrl-P Ctrl-Q leaves a command, which goes on, and its end is recorded', () =>
  withOwner(async ({ atTerminal, runtime }) => {
    const script = 'read a; echo "<$a>"; sleep 1000 & echo $$ up; wait; exit 7'
    const typist = await atTerminal('exec', '-it', 'it', '--', 'sh', '-c', script)
    // Another key after the first of them: both were meant for the command.
    typist.type('x\u0010y\n')
    await typist.sees('<x\u0010y>')
    await typist.sees(/\d+ up/)
    const pid = Number(/(\d+) up/.exec(typist.seen)?.[1])
    typist.type('\u0010\u0011')
    assert.is(await typist.end(), 0)
    assert.match(typist.seen, 'Left. The command goes on, as execution ')
    const ends = runtime.events({ types: ['exec.ended', 'exec.lost'], follow: true })
    process.kill(pid, 'SIGKILL')
    const { value: record } = (await ends.next()) as IteratorYieldResult<LedgerRecord>
    assert.is(record.event.type === 'exec.ended' && record.event.signal, 'SIGKILL')
    assert.ok(typist.seen.includes(`execution ${record.execution}`))
  }))

test("run -it: keys of one's own leave it, and the box stays up", () =>
  withOwner(async ({ atTerminal, shell: { info, run } }) => {
    const { kernel } = smallGuest('idle')
    const flags = [
      '--kernel',
      kernel,
      '--cmdline',
      'boxledger.init',
      '--agent',
      '--ready',
      'vmm',
      '--name',
      'left',
    ]
    const typist = await atTerminal('run', '-it', '--detach-keys', 'ctrl-a,d', ...flags)
    await typist.sees(/[$#] $/)
    typist.type('echo \u0010\u0011$((6*7))\n')
    await typist.sees('42')
    typist.type('\u0001d')
    assert.is(await typist.end(), 0)
    assert.match(typist.seen, 'Box left stays up with it')
    assert.is((await info('left')).state, 'running')
    assert.is((await run('exec', '-it', '--detach-keys', 'ctrl-pq', 'it', '--', 'true')).code, 2)
  }))

test('a command that owns the home itself cannot leave what it runs, and says so', () =>
  withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const own = await connectGuest(agents.path, new AbortController().signal)
    try {
      const typist = new Typist(
        own.run({
          args: [process.execPath, attachedHere, join(dir, 'home'), agents.path],
          env: {},
          workdir: '/',
          user: '',
          terminal: { columns: 80, rows: 24 },
        }),
      )
      await typist.sees(/[$#] $/)
      typist.type('\u0010\u0011')
      await typist.sees('It cannot be left: this command owns the home')
      typist.type('echo still here $((1+1))\n')
      await typist.sees('still here 2')
      typist.type('exit 5\n')
      assert.is(await typist.end(), 5)
    } finally {
      own.close()
    }
  }))

test('console -i: a shell in a box that is up, which Ctrl-] leaves', () =>
  withOwner(async ({ atTerminal, shell: { run }, runtime }) => {
    assert.is((await run('console', '-i', 'it')).code, 4)
    await (await runtime.get('it'))?.start()
    const typist = await atTerminal('console', '-i', 'it')
    await typist.sees('Ctrl-] leaves it')
    await typist.sees(/[$#] $/)
    typist.type('echo here $((6*7))\n')
    await typist.sees('here 42')
    typist.type('sleep 1000\n')
    typist.type('\u001d')
    assert.is(await typist.end(), 0)
    const reasons: unknown[] = []
    for await (const { event } of runtime.events({ types: ['exec.ended'] }))
      if (event.type === 'exec.ended') reasons.push(event.reason)
    assert.equal(reasons, ['aborted'])
  }))

test('run in the foreground: the code of the command, and the box ends with it', () =>
  withOwner(async ({ shell: { run, json, start } }) => {
    // It obeys its power button, so that nobody has to wait for its end.
    const cmdline = 'boxledger.init'
    const image = ['--kernel', smallGuest('idle').kernel, '--cmdline', cmdline, '--agent', '--ready', 'vmm']
    assert.equal(await run('run', ...image, '--rm', '--', 'sh', '-c', 'echo out; exit 7'), {
      code: 7,
      stdout: 'out\n',
      stderr: '',
    })
    assert.is((await json<unknown[]>('ls', '-a')).length, 1)
    const cat = start('run', '-i', ...image, '--rm', '--', 'cat')
    cat.stdin?.end('hi')
    assert.is((await finish(cat)).stdout, 'hi')
    assert.is((await run('run', ...image, '--name', 'kept', '--', 'true')).code, 0)
    const kept = (await json<{ name: string; state: string }[]>('ls', '-a')).find(
      ({ name }) => name === 'kept',
    )
    assert.is(kept?.state, 'stopped')
    // Its start fails: nothing is left up, and with --rm nothing is left.
    const failed = await run('run', '--kernel', '/no/such/kernel', '--agent', '--rm', '--', 'true')
    assert.is(failed.code, 1)
    assert.match(failed.stderr, 'Cannot open kernel file')
    assert.is((await json<unknown[]>('ls', '-a')).length, 2)
  }))

test('the ledger tells of it, in words for people', () =>
  withOwner(async ({ shell: { ok } }) => {
    await ok('exec', 'it', '--', 'true', 'a', 'b')
    const log = await ok('log', 'it', '--type', 'exec.started', '--type', 'exec.ended')
    assert.match(log, /exec\.started +running +[0-9a-z]{12} true and 2 arguments/)
    assert.match(log, /exec\.ended +running -> ended +[0-9a-z]{12} exit code 0/)
  }))

test.run()
