// @timeout 120
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { BoxError, BoxRuntime, InteractiveBox, type LedgerRecord, SimpleBox } from 'boxledger'
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'
import * as assert from 'uvu/assert'
import { connectGuest } from '../../src/vmm/guest/channel.ts'
import { HostAgents } from '../support/agent.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { Typist } from '../support/typist.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { handsTo, inABox } from './exec/in-a-box.ts'
import { ways } from './ways.ts'

async function all(records: AsyncIterable<LedgerRecord>): Promise<LedgerRecord[]> {
  const found: LedgerRecord[] = []
  for await (const record of records) found.push(record)
  return found
}

/** Its guest obeys the power button, and its agent runs here. */
const agentBox = { image: { kernel: smallGuest('idle').kernel, agent: true }, ready: 'vmm' } as const

const codeOf = async (run: () => unknown): Promise<string> => {
  try {
    await run()
    return 'none'
  } catch (error) {
    if (!BoxError.is(error)) throw error
    return error.code
  }
}

for (const way of ways) {
  const test = suite(`api: wrappers, ${way.name}`)

  test('a simple box is made when it is first used, and leaves nothing but its history', () =>
    inABox(way, async ({ runtime }) => {
      const before = (await runtime.metrics()).position
      const box = new SimpleBox({ ...agentBox, name: 'simple' }, runtime)
      assert.is(box.name, 'simple')
      assert.is(await codeOf(() => box.id), 'INVALID_STATE')
      assert.is(await codeOf(() => box.actor), 'INVALID_STATE')
      await box.stop()
      await box.remove()
      assert.is((await runtime.metrics()).position, before, 'nothing has happened')

      const running = box.exec('sh', ['-c', 'echo hi; exit 3'])
      const { exitCode, stdout } = await running
      assert.equal([exitCode, stdout], [3, 'hi\n'])
      const { state, executions, autoRemove } = await box.info()
      assert.equal({ state, executions, autoRemove }, { state: 'running', executions: 1, autoRemove: true })
      assert.is((await runtime.getInfo('simple'))?.id, box.id)
      const started = await all(runtime.events({ types: ['exec.started'] }))
      assert.equal(
        started.map(record => record.execution),
        [running.id],
        'under the ID that the caller has',
      )
      assert.is(box.actor.getSnapshot().matches('running'), true)
      assert.is((await firstValueFrom(box.state$)).state, 'running')

      const { id } = box
      const states = lastValueFrom(box.state$.pipe(toArray()))
      await box[Symbol.asyncDispose]()
      assert.is((await states).at(-1)?.state, 'removed')
      assert.is(await runtime.exists('simple'), false)
      const types = (await all(runtime.history(id))).map(({ event }) => event.type)
      assert.equal([types[0], types.at(-1)], ['box.created', 'box.removed'])
      assert.is(await codeOf(() => box.start()), 'NOT_FOUND')
    }))

  test('it is the box of its name where there is one, as that is', () =>
    inABox(way, async ({ runtime }) => {
      const known = await runtime.create({ ...agentBox, name: 'known', memoryMib: 128 })
      {
        await using box = new SimpleBox({ ...agentBox, name: 'known', memoryMib: 512 }, runtime)
        const { created, differs } = await box.create()
        assert.equal([created, [...differs].sort()], [false, ['memoryMib']])
        await box.start()
        assert.is(box.id, known.id)
      }
      assert.is((await known.info()).state, 'stopped', 'stopped, and not removed: it was not made so')
      await new SimpleBox({ name: 'known' }, runtime).remove()
      assert.is(await runtime.exists('known'), false)
    }))

  test('what was made and never started leaves nothing; what is to stay stays', () =>
    inABox(way, async ({ runtime }) => {
      const ids: string[] = []
      for (const options of [{}, { autoRemove: false }, { restart: { policy: 'always' } }] as const) {
        await using box = new SimpleBox({ ...agentBox, ...options }, runtime)
        await box.info()
        ids.push(box.id)
      }
      assert.equal(await Promise.all(ids.map(id => runtime.exists(id))), [false, true, true])
      for (const id of ids.slice(1)) await runtime.remove(id)
      await new SimpleBox({}, runtime)[Symbol.asyncDispose]()
    }))

  test('two at once are one box; a box that cannot be made can be tried again', () =>
    inABox(way, async ({ runtime, box: it }) => {
      await using one = new SimpleBox({ ...agentBox, name: 'one' }, runtime)
      const ids = (await Promise.all([one.info(), one.info(), one.start().then(() => one.info())])).map(
        ({ id }) => id,
      )
      assert.is(new Set(ids).size, 1)
      await using late = new SimpleBox({ ...agentBox, name: it.id }, runtime)
      assert.is(await codeOf(() => late.info()), 'NAME_TAKEN')
      await it.remove()
      await late.info()
    }))

  test.run()
}

const test = suite('api: wrappers')

test('bad options are told at once', async () => {
  for (const options of [null, 'x', 5, [], { cpus: 0 }, { unknown: 1 }, { shell: 'sh' }])
    assert.is(
      await codeOf(() => new SimpleBox(options as never)),
      'INVALID_ARGUMENT',
      JSON.stringify(options),
    )
  for (const options of [null, 'x', { cpus: 0 }, { shell: [] }, { shell: 5 }, { tty: 'yes' }])
    assert.is(
      await codeOf(() => new InteractiveBox(options as never)),
      'INVALID_ARGUMENT',
      JSON.stringify(options),
    )
})

test('without a runtime it has one of the default home, from the first use until it is disposed of', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    const { BOXLEDGER_HOME, BOXLEDGER_VMM } = process.env
    process.env.BOXLEDGER_HOME = home
    process.env.BOXLEDGER_VMM = instantVmm.map(word => `'${word}'`).join(' ')
    try {
      const box = new SimpleBox(agentBox)
      assert.is(existsSync(home), false)
      await box.start()
      // Another is served by the owner that the first one is, and outlives it.
      const other = new SimpleBox(agentBox)
      await other.start()
      await box[Symbol.asyncDispose]()
      assert.is((await other.info()).state, 'running')
      await other[Symbol.asyncDispose]()
      assert.is(await codeOf(() => other.info()), 'ENGINE_CLOSED')
      const unused = new SimpleBox(agentBox)
      await unused[Symbol.asyncDispose]()
      assert.is(await codeOf(() => unused.info()), 'ENGINE_CLOSED')
      await using runtime = await BoxRuntime.open({ home })
      assert.equal(await runtime.listInfo(), [])
      assert.is((await runtime.metrics()).removed, 2)
    } finally {
      for (const [name, value] of Object.entries({ BOXLEDGER_HOME, BOXLEDGER_VMM }))
        if (value === undefined) delete process.env[name]
        else process.env[name] = value
    }
  }))

const program = fileURLToPath(new URL('./wrappers/at-terminal.js', import.meta.url))

/** A home whose owner is this process, with agents here. */
const withOwner = (
  body: (place: { home: string; runtime: BoxRuntime; agents: HostAgents }) => Promise<void>,
) =>
  withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const home = join(dir, 'home')
    await using runtime = await BoxRuntime.open({
      home,
      vmm: { binary: instantVmm },
      seams: { hands: handsTo(agents) },
    })
    try {
      await body({ home, runtime, agents })
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
    }
  })

test('an interactive box at a terminal: as if one sat at the box, and afterwards as before', () =>
  withOwner(async ({ home, runtime, agents }) => {
    const it = await runtime.create({ ...agentBox, name: 'it', env: { PS1: '> ' } })
    const own = await connectGuest(agents.path, new AbortController().signal)
    try {
      const terminal = new Typist(
        own.run({
          args: [process.execPath, program, home, 'it', 'sh', '-i'],
          env: { TERM: 'vt100' },
          workdir: '/',
          user: '',
          terminal: { columns: 80, rows: 24 },
        }),
      )
      await terminal.sees('raw: true')
      terminal.type('stty size; echo $TERM\n')
      await terminal.sees(/24 80\r+\nvt100/)
      terminal.resize(100, 30)
      terminal.type('while [ "$(stty size)" != "30 100" ]; do sleep 0.05; done; echo now $((30 + 0))\n')
      await terminal.sees('now 30')
      terminal.type('exit 5\n')
      await terminal.sees('raw: false; the shell ended with 5; the box is running')
      assert.is(await terminal.end(), 0)
    } finally {
      own.close()
    }
    assert.is((await it.info()).state, 'stopped')
  }))

test('an interactive box without a terminal: its input is read, both outputs are told apart', () =>
  withOwner(async ({ home, runtime }) => {
    await runtime.create({ ...agentBox, name: 'it' })
    const child = spawn(process.execPath, [program, home, 'it'], { stdio: 'pipe' })
    child.stdin.end('echo out; echo err >&2; exit 4\n')
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    assert.equal([code, stderr], [0, 'err\n'])
    assert.match(stdout, /^out$/m)
    assert.match(stdout, /raw: no terminal; the shell ended with 4; the box is running\n$/)
  }))

test('an interactive box that is stopped ends its shell, and gives the terminal back', () =>
  withOwner(async ({ home, runtime, agents }) => {
    const it = await runtime.create({ ...agentBox, name: 'it' })
    const own = await connectGuest(agents.path, new AbortController().signal)
    try {
      const terminal = new Typist(
        own.run({
          args: [process.execPath, program, home, 'it', 'cat'],
          env: {},
          workdir: '/',
          user: '',
          terminal: { columns: 80, rows: 24 },
        }),
      )
      await terminal.sees('raw: true')
      terminal.type('typed')
      await terminal.sees('typed')
      await it.stop({ mode: 'kill' })
      await terminal.sees('raw: false; the shell ended with undefined; the box is stopped')
      assert.is(await terminal.end(), 0)
    } finally {
      own.close()
    }
  }))

test.run()
