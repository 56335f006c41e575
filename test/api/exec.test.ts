// @timeout 120
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { inABox } from './exec/in-a-box.ts'
import { embedded, ways } from './ways.ts'

async function codeOf(promise: PromiseLike<unknown>): Promise<string> {
  try {
    await promise
    return 'none'
  } catch (error) {
    if (!BoxError.is(error)) throw error
    return error.code
  }
}

async function textOf(output: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const bytes of output) parts.push(bytes)
  return Buffer.concat(parts).toString('utf8')
}

async function all(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord[]> {
  const found: LedgerRecord[] = []
  for await (const record of records) found.push(record)
  return found
}

for (const way of ways) {
  const test = suite(`api: exec, ${way.name}`)

  test('awaited as a whole it is its end and its output; it starts its box', () =>
    inABox(way, async ({ box }) => {
      assert.is((await box.info()).state, 'configured')
      assert.equal(await box.exec('sh', ['-c', 'echo out; echo err >&2; exit 7']), {
        exitCode: 7,
        stdout: 'out\n',
        stderr: 'err\n',
        truncated: false,
      })
      assert.is((await box.info()).state, 'running')
      assert.is((await box.info()).executions, 1)
      // Nobody writes to it: it ends.
      assert.is((await box.exec('cat')).stdout, '')
      assert.is((await box.exec('cat', [], { input: 'hi' })).stdout, 'hi')
      assert.is((await box.exec('no-such-program')).exitCode, 127)
    }))

  test('a key that cannot be kept is told by code, nothing is run, and the next try makes it', () =>
    inABox(way, async ({ home, box, runtime }) => {
      mkdirSync(join(home, 'secrets', 'arguments.key'), { recursive: true })
      assert.is(await codeOf(box.exec('true')), 'ENGINE_FAILED')
      assert.equal(await all(runtime.events({ types: ['exec.started'] })), [])
      rmdirSync(join(home, 'secrets', 'arguments.key'))
      assert.is((await box.exec('true')).exitCode, 0)
    }))

  test('streams: live, both ways, and who comes late finds what was kept', () =>
    inABox(way, async ({ box }) => {
      const live = box.exec('sh', ['-c', 'read a; echo "<$a>"; read b; echo "<$b>"'])
      assert.match(live.id, /^[0-9a-z]{12}$/)
      const lines = live.stdout[Symbol.asyncIterator]()
      live.stdin.write('one\n')
      assert.is(String(Buffer.from((await lines.next()).value as Uint8Array)), '<one>\n')
      live.stdin.end('two\n')
      assert.is(String(Buffer.from((await lines.next()).value as Uint8Array)), '<two>\n')
      assert.equal(await lines.next(), { done: true, value: undefined })
      assert.equal(await live.wait(), { exitCode: 0 })
      const late = box.exec('sh', ['-c', 'head -c 1000000 /dev/zero; echo end'])
      assert.equal(await late.wait(), { exitCode: 0 })
      assert.is((await textOf(late.stdout)).length, 1_000_004)
      const much = await box.exec('sh', ['-c', 'head -c 1000000 /dev/zero'], { maxOutputBytes: 10 })
      assert.equal([much.stdout.length, much.truncated], [10, true])
    }))

  test('signals, and 128 with their number; a terminal and its size', () =>
    inABox(way, async ({ box }) => {
      const sleeper = box.exec('sleep', ['1000'])
      sleeper.kill()
      assert.equal(await sleeper.wait(), { exitCode: 143, signal: 'SIGTERM' })
      assert.throws(
        () => sleeper.kill('SIGNOTHING'),
        (error: unknown) => BoxError.is(error, 'INVALID_ARGUMENT'),
      )
      const terminal = { columns: 100, rows: 30 }
      const sized = await box.exec('sh', ['-c', 'stty size; echo err >&2'], { tty: terminal })
      assert.equal([sized.stdout, sized.stderr], ['30 100\r\nerr\r\n', ''])
      const resized = box.exec('sh', ['-c', 'read _; stty size'], { tty: true })
      resized.resize(50, 10)
      resized.stdin.write('\n')
      assert.match(await textOf(resized.stdout), '10 50')
    }))

  test('environment, directory and user: its own over those of the box', () =>
    inABox(way, async ({ runtime, box }) => {
      await box.stop({ mode: 'kill' })
      const spec = (await box.info()).spec
      const other = await runtime.create({
        image: spec.image as never,
        ready: 'vmm',
        env: { A: 'box', B: 'box', S: { secret: 'key' } },
        secrets: { key: 'hush' },
        workdir: '/usr',
      })
      const script = ['-c', 'echo $A $B $S $T; pwd']
      const first = await other.exec('sh', script, { env: { B: 'own', T: { secret: 'key' } } })
      assert.is(first.stdout, 'box own hush hush\n/usr\n')
      assert.is((await other.exec('pwd', [], { cwd: '/tmp' })).stdout, '/tmp\n')
      const missing = other.exec('true', [], { env: { X: { secret: 'none' } } })
      assert.is(await codeOf(missing), 'INVALID_ARGUMENT')
      await other.remove({ force: true })
    }))

  test('a time limit and an abort kill it, and it is really dead', () =>
    inABox(way, async ({ box, runtime }) => {
      const limited = box.exec('sleep', ['1000'], { timeoutMs: 50 })
      assert.is(await codeOf(limited.wait()), 'ABORTED')
      const abort = new AbortController()
      const aborted = box.exec('sh', ['-c', 'echo $$; exec sleep 1000'], { signal: abort.signal })
      const { value } = await aborted.stdout[Symbol.asyncIterator]().next()
      const pid = Number(Buffer.from(value as Uint8Array).toString())
      abort.abort()
      assert.is(await codeOf(aborted.wait()), 'ABORTED')
      assert.throws(() => process.kill(pid, 0), /ESRCH/)
      assert.is(await codeOf(box.exec('true', [], { signal: abort.signal })), 'ABORTED')
      const ends = (await all(runtime.events({ types: ['exec.ended'] }))).map(({ event }) => event)
      assert.equal(
        ends.map(event => event.type === 'exec.ended' && [event.exitCode, event.signal, event.reason]),
        [
          [137, 'SIGKILL', 'timed-out'],
          [137, 'SIGKILL', 'aborted'],
        ],
      )
    }))

  test('each is a stream of its own in the ledger, which its box only counts', () =>
    inABox(way, async ({ runtime, box }) => {
      await box.exec('true', ['a', 'secret-argument'])
      await box.exec('true', ['a', 'secret-argument'])
      await box.exec('true', ['in clear'], { recordArguments: true, actor: 'me' })
      const before = (await box.info()).version
      const records = (await all(box.events())).filter(({ execution }) => execution !== undefined)
      assert.equal(
        records.map(({ event, version, from, to }) => [event.type, version, from, to]),
        Array.from({ length: 3 }, () => [
          ['exec.started', 1, '', 'running'],
          ['exec.ended', 2, 'running', 'ended'],
        ]).flat(),
      )
      const started = records.flatMap(({ event }) => (event.type === 'exec.started' ? [event] : []))
      assert.equal(
        started.map(({ command, incarnation, tty }) => [command, incarnation, tty]),
        Array.from({ length: 3 }, () => ['true', 1, false]),
      )
      assert.equal(started[0]?.arguments, started[1]?.arguments)
      assert.equal(started[2]?.arguments, ['in clear'])
      assert.is(records.at(-2)?.meta.actor, 'me')
      assert.is(records.at(-1)?.meta.cause, records.at(-2)?.position)
      assert.not.match(JSON.stringify(records), 'secret-argument')
      const info = await box.info()
      assert.equal([info.executions, info.version], [3, before])
      assert.is((await runtime.metrics()).executions, 3)
      assert.ok((await all(runtime.history(box.id))).every(({ execution }) => execution === undefined))
      const report = await runtime.verify({ replay: true })
      assert.equal([report.problems, report.boxes], [[], 1])
      assert.equal((await runtime.verify({ box: box.id, replay: true })).records, info.version + 6)
    }))

  test('fifty at once, each with its own output', () =>
    inABox(way, async ({ box }) => {
      const numbers = Array.from({ length: 50 }, (_, n) => String(n))
      const results = await Promise.all(
        numbers.map(n => box.exec('sh', ['-c', 'cat; echo $0', n], { input: n })),
      )
      assert.equal(
        results.map(({ stdout }) => stdout),
        numbers.map(n => `${n}${n}\n`),
      )
      assert.is((await box.info()).executions, 50)
    }))

  test('one whose box goes down is lost', () =>
    inABox(way, async ({ box, runtime }) => {
      const first = box.exec('sleep', ['1000'])
      const waiting = codeOf(first.wait())
      await runtime.events({ types: ['exec.started'], follow: true }).next()
      await box.stop({ mode: 'kill' })
      assert.is(await waiting, 'EXEC_LOST')
      const [lost] = await all(runtime.events({ types: ['exec.lost'] }))
      assert.is(lost?.execution, first.id)
    }))

  test('not in a paused box, nor where there is no agent; bad input is told by code, and nothing is recorded', () =>
    inABox(way, async ({ box, runtime }) => {
      await box.start()
      await box.pause()
      assert.is(await codeOf(box.exec('true')), 'INVALID_STATE')
      await box.resume()
      const plain = await runtime.create({ image: { kernel: '/no/such/kernel' } })
      assert.is(await codeOf(plain.exec('true')), 'UNSUPPORTED')
      const bad: readonly [unknown, unknown?, unknown?][] = [
        [''],
        [null],
        ['a\0b'],
        ['true', 'x'],
        ['true', [1]],
        ['true', [], { timeoutMs: 0 }],
        ['true', [], { cwd: 'relative' }],
        ['true', [], { env: { 'a=b': 'c' } }],
        ['true', [], { tty: { columns: 0, rows: 1 } }],
        ['true', [], { unknown: true }],
        ['true', ['x'.repeat(200_000)]],
      ]
      for (const args of bad)
        assert.is(
          await codeOf(box.exec(...(args as [string]))),
          'INVALID_ARGUMENT',
          JSON.stringify(args).slice(0, 80),
        )
      assert.equal(await all(runtime.events({ types: ['exec.started'] })), [])
    }))

  test('nothing in the home tells what was passed: not the arguments, not the input, not the output', () =>
    inABox(way, async ({ home, box }) => {
      await box.exec('sh', ['-c', 'cat; echo "$X"', 'argument-planted'], {
        input: 'input-planted',
        env: { X: 'variable-planted' },
      })
      for (const file of readdirSync(home, { recursive: true, withFileTypes: true })) {
        if (!file.isFile()) continue
        const path = join(file.parentPath, file.name)
        assert.not.match(readFileSync(path, 'latin1'), /-planted/, path)
      }
    }))

  test.run()
}

const closing = suite('api: exec, closing')

closing(
  'a runtime that closes ends its commands: they are lost, which is recorded, and are not run again',
  () =>
    inABox(embedded, async ({ options, box, runtime }) => {
      const sleeper = box.exec('sh', ['-c', 'echo $$; exec sleep 1000'])
      const { value } = await sleeper.stdout[Symbol.asyncIterator]().next()
      const pid = Number(Buffer.from(value as Uint8Array).toString())
      const told = codeOf(sleeper.wait())
      await runtime.close()
      assert.is(await told, 'EXEC_LOST')
      await eventually(() => !isThere(pid))
      await using next = await BoxRuntime.open(options)
      const types = (await all(next.events({ box: 'it' }))).flatMap(({ execution, event }) =>
        execution === undefined ? [] : [event.type],
      )
      assert.equal(types, ['exec.started', 'exec.lost'])
      await next.remove('it', { force: true })
    }),
)

closing.run()

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // ESRCH
  }
}
