// @timeout 300
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxError, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'

const test = suite('api: commands in a real guest')

const owner = fileURLToPath(new URL('./exec/owner-with-guest.js', import.meta.url))

const withHome = (body: (home: string) => Promise<void>) =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(testImages(), { recursive: true, mode: 0o700 })
    mkdirSync(home, { mode: 0o700 })
    symlinkSync(testImages(), join(home, 'images'))
    await body(home)
  })

async function textOf(output: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const bytes of output) parts.push(bytes)
  return Buffer.concat(parts).toString('utf8')
}

needsQemu(
  test,
  'its end and its output, as another user, at a terminal, fifty at once; killed it is dead',
  () =>
    withHome(async home => {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
      const box = await runtime.create({ name: 'it', env: { A: 'box' }, workdir: '/tmp' })
      try {
        const first = await box.exec('sh', ['-c', 'uname -s; echo $A $B; pwd; id -u; echo err >&2; exit 7'], {
          env: { B: 'own' },
        })
        assert.equal(first, {
          exitCode: 7,
          stdout: 'Linux\nbox own\n/tmp\n0\n',
          stderr: 'err\n',
          truncated: false,
        })
        assert.is((await box.exec('id', ['-u'], { user: '1234' })).stdout, '1234\n')
        const intruder = await box.exec('touch', ['/mine'], { user: '1234' })
        assert.match(intruder.stderr, 'Permission denied')
        const tty = { columns: 90, rows: 20 }
        assert.match(
          (await box.exec('sh', ['-c', 'tty; stty size'], { tty })).stdout,
          /^\/dev\/pts\/\d+\r\n20 90\r\n$/,
        )
        const numbers = Array.from({ length: 50 }, (_, n) => String(n))
        const all = await Promise.all(
          numbers.map(n => box.exec('sh', ['-c', 'cat; echo $0', n], { input: n })),
        )
        assert.equal(
          all.map(({ stdout }) => stdout),
          numbers.map(n => `${n}${n}\n`),
        )
        // What it has started goes with it, a daemon too.
        const script = 'setsid sleep 1111 & sleep 1111 & sleep 0.5; echo up; wait'
        const abort = new AbortController()
        const aborted = box.exec('sh', ['-c', script], { signal: abort.signal })
        await aborted.stdout[Symbol.asyncIterator]().next()
        abort.abort()
        await aborted.wait().then(
          () => assert.unreachable('it was not killed'),
          error => assert.ok(BoxError.is(error, 'ABORTED')),
        )
        const left = await box.exec('sh', ['-c', 'ps | grep -c "[s]leep 1111"'])
        assert.is(left.stdout, '0\n', 'nothing of it is left')
        const much = box.exec('sh', ['-c', 'head -c 8388608 /dev/zero | tr "\\0" x'])
        assert.is((await textOf(much.stdout)).length, 8 << 20)
        await box.restart()
        assert.is((await box.exec('true')).exitCode, 0)
        assert.equal((await runtime.verify({ replay: true })).problems, [])
      } finally {
        await box.remove({ force: true })
      }
    }),
)

needsQemu(
  test,
  'an engine that dies takes its commands with it; they are lost, and the next engine runs others',
  () =>
    withHome(async home => {
      const child = fork(owner, [home])
      const [id] = (await once(child, 'message')) as [string]
      child.kill('SIGKILL')
      await once(child, 'exit')
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: qemuVmm } })
      const box = await runtime.get('it')
      if (box === undefined) throw new Error('there is no box')
      try {
        const ps = await box.exec('sh', ['-c', 'ps | grep -c "[s]leep 1000"; true'])
        assert.is(ps.stdout, '0\n', 'the guest was told that its engine is gone')
        const records: LedgerRecord[] = []
        for await (const record of box.events()) records.push(record)
        assert.equal(
          records.filter(({ execution }) => execution === id).map(({ event }) => event.type),
          ['exec.started', 'exec.lost'],
        )
        assert.is((await box.info()).incarnation, 1)
        assert.is((await box.info()).executions, 2)
      } finally {
        await box.remove({ force: true })
      }
    }),
)

test.run()
