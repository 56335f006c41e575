import { type BoxInfo, BoxRuntime, type HostInfo, type LedgerRecord, type VerifyReport } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { guest, withShell } from './boxledger.ts'

const test = suite('command: answers')

test('ls shows what is up, -a all, -q IDs, --json BoxInfo, newest first', () =>
  withShell(async ({ ok, json }) => {
    assert.is(await ok('ls'), 'ID   NAME   STATE   IMAGE   PID   AGE')
    assert.equal(await json('ls', '-a'), [])
    const lazy = await ok('create', '--name', 'lazy', ...guest('idle'))
    const up = await ok('run', '-d', '--name', 'up', ...guest('idle'))
    const [head, row, ...more] = (await ok('ls')).split('\n')
    assert.match(head ?? '', /^ID {13}NAME {3}STATE {5}IMAGE {7}PID/)
    assert.match(row ?? '', new RegExp(`^${up} {3}up {5}running {3}guest.elf {3}\\d+ +\\d+s$`))
    assert.equal(more, [])
    assert.equal((await ok('ls', '-aq')).split('\n'), [up, lazy])
    const infos = await json<BoxInfo[]>('ls', '-a')
    assert.equal(
      infos.map(({ id, name, state }) => [id, name, state]),
      [
        [up, 'up', 'running'],
        [lazy, 'lazy', 'configured'],
      ],
    )
  }))

test('a box that died while nobody looked is shown as it is', () =>
  withShell(async ({ ok, info }) => {
    await ok('run', '-d', '--name', 'a', ...guest('idle'))
    process.kill((await info('a')).pid ?? 0, 'SIGKILL')
    assert.match(await ok('ls', '-a'), / a +crashed \(crash\) /)
  }))

test('ls shows a box that is down as long as it will be started again', () =>
  withShell(async ({ home, ok }) => {
    {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
      const backoff = { initialMs: 3_600_000, maxMs: 3_600_000 }
      const restart = { policy: 'always', backoff } as const
      const box = await runtime.create({ name: 'again', image: smallGuest('idle'), restart })
      await box.start()
      process.kill((await box.info()).pid ?? 0, 'SIGKILL')
      await box.waitFor(({ restartAt }) => restartAt !== undefined)
    }
    assert.match(await ok('ls'), / again +crashed \(crash, SIGKILL\) /)
    await ok('stop', 'again')
    assert.is((await ok('ls')).includes('again'), false)
  }))

test('inspect gives an array, of those that were found', () =>
  withShell(async ({ ok, run }) => {
    await ok('create', '--name', 'a')
    const { code, stdout, stderr } = await run('inspect', 'a', 'b')
    assert.is(code, 1)
    assert.equal(
      (JSON.parse(stdout) as BoxInfo[]).map(({ name }) => name),
      ['a'],
    )
    assert.match(stderr, /^boxledger: b: /)
  }))

test('verbs that change boxes answer with what became of them', () =>
  withShell(async ({ json }) => {
    const made = await json<BoxInfo>('run', '-d', '--name', 'a', ...guest('idle'))
    assert.is(made.state, 'running')
    const states = async (...args: string[]) => (await json<BoxInfo[]>(...args)).map(({ state }) => state)
    assert.equal(await states('pause', 'a'), ['paused'])
    assert.equal(await states('resume', 'a'), ['running'])
    assert.equal(await states('stop', '--kill', 'a'), ['stopped'])
    assert.equal(await states('wait', 'a'), ['stopped'])
    assert.equal(await states('rm', 'a'), ['removed'])
  }))

test('log: a line a record; NDJSON of records; by box, position and type; of removed boxes by ID', () =>
  withShell(async ({ ok }) => {
    const a = await ok('create', '--name', 'a')
    const b = await ok('create', '--name', 'b')
    await ok('rename', 'a', 'c')
    await ok('rm', 'b')
    const lines = (await ok('log')).split('\n')
    assert.match(
      lines[0] ?? '',
      /^ {5}1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z {2}a +box\.created +configured/,
    )
    assert.match(lines[2] ?? '', / c +box\.renamed +configured +c$/)
    assert.match(lines.at(-1) ?? '', / b +box\.removed +\S+ -> removed$/)

    const records = async (...args: string[]) =>
      (await ok('--json', 'log', ...args)).split('\n').map(line => JSON.parse(line) as LedgerRecord)
    const all = await records()
    assert.equal(
      all.map(({ position }) => position),
      all.map((_, n) => n + 1),
    )
    assert.equal(
      Object.keys(all[0] ?? {})
        .sort()
        .join(' '),
      fieldsOfRecord,
    )
    const types = (some: LedgerRecord[]) => some.map(({ event }) => event.type).join(' ')
    assert.is(
      types(await records('--from', '3', '--type', 'box.renamed', '--type', 'box.created')),
      'box.renamed',
    )
    assert.is(types(await records(a.slice(0, 6))), 'box.created box.renamed')
    assert.is(types(await records(b)), 'box.created remove.requested box.removed')
  }))

const fieldsOfRecord = 'at box effects event from hash meta position prev prevBody timers to version'

test('verify says how much it looked at, or gives the report', () =>
  withShell(async ({ ok, json }) => {
    assert.is(await ok('verify'), 'ledger verified: 0 records, 0 boxes')
    await ok('create', '--name', 'a')
    assert.is(await ok('verify', '--replay'), 'ledger verified: 1 record, 1 box')
    assert.equal(await json<VerifyReport>('verify'), {
      ...{ ok: true, records: 1, boxes: 1 },
      ...{ parked: [], problems: [] },
    })
  }))

test('console gives what the guest printed, of the incarnation asked for', () =>
  withShell(async ({ ok }) => {
    await ok('run', '-d', '--name', 'a', ...guest('off'))
    await ok('wait', 'a')
    await ok('start', 'a')
    await ok('wait', 'a')
    for (const more of [[], ['--incarnation', '1'], ['--follow']])
      assert.match(await ok('console', 'a', ...more), /^guest: hello, cmdline=mode=off\r?\nguest: poweroff$/)
  }))

test('info says which VMM and why, and opens no home', () =>
  withShell(async ({ ok, json, home }) => {
    const info = await json<HostInfo>('info')
    assert.is(info.home, home)
    assert.ok('command' in info.vmm.linux && info.vmm.linux.kind === 'environment')
    assert.match(await ok('info'), /^VMM +.*--backend none$/m)
    assert.is(await ok('ls', '-q'), '')
  }))

test('help is for stdout and ends with 0; no verb is a mistake', () =>
  withShell(async ({ ok, run }) => {
    assert.match(await ok('--help'), /A home has one owner at a time/)
    assert.match(await ok('--version'), /^boxledger\/\d+\.\d+\.\d+/)
    assert.match(await ok('stop', '--help'), /--time <seconds>/)
    const { code, stdout, stderr } = await run()
    assert.equal([code, stdout], [2, ''])
    assert.match(stderr, /^Usage: boxledger/)
  }))

test.run()
