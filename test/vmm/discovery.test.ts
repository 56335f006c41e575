import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxError } from 'boxledger/machines'
import { type DiscoverOptions, type Discovery, discover } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { findOnPath, needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('discovery')
const { signal } = new AbortController()

interface Place {
  readonly dir: string
  /** makes a program that is found on PATH */
  readonly program: (name: string, script: string) => string
  readonly find: (options?: Partial<DiscoverOptions>) => Promise<Discovery>
}

/** A PATH and a cache of their own. */
async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  await withTempDir(async dir => {
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    const env = { PATH: bin, XDG_CACHE_HOME: join(dir, 'cache') }
    const program = (name: string, script: string) => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
      chmodSync(join(bin, name), 0o755)
      return join(bin, name)
    }
    const find = (options: Partial<DiscoverOptions> = {}) =>
      discover({ home: dir, guest: 'tiny', signal, ...options, env: { ...env, ...options.env } })
    await body({ dir, program, find })
  })
}

async function notFound(found: Promise<Discovery>): Promise<string> {
  const error = await found.then(
    ({ why }) => why,
    (reason: unknown) => reason,
  )
  assert.ok(BoxError.is(error, 'VMM_NOT_FOUND'), String(error))
  return (error as BoxError).message
}

test('what is asked for comes first, and nothing is found in its place', async () => {
  await withPlace(async ({ find, program }) => {
    program('qemu-system-x86_64', '')
    const mine = program('mine', '')
    const env = { BOXLEDGER_VMM: 'mine --flag' }
    assert.equal((await find({ binary: mine, env })).command, [mine])
    assert.equal((await find({ binary: ['mine', '-v'] })).command, [mine, '-v'])
    assert.is((await find({ binary: mine })).kind, 'option')
    assert.match(await notFound(find({ binary: '/nowhere/mine' })), '/nowhere/mine')
    assert.match(await notFound(find({ env: { BOXLEDGER_VMM: '/nowhere/mine' } })), 'BOXLEDGER_VMM')
  })
})

test('$BOXLEDGER_VMM is a command line: quotes are respected, nothing is expanded', async () => {
  await withPlace(async ({ find, program }) => {
    const spaced = program('with space', '')
    const words = async (line: string) => (await find({ env: { BOXLEDGER_VMM: line } })).command.slice(1)
    assert.equal(await words(`'${spaced}' --a "b c" '$HOME' \\"d *`), ['--a', 'b c', '$HOME', '"d', '*'])
    assert.match(await notFound(find({ env: { BOXLEDGER_VMM: "'unfinished" } })), 'command line')
    program('qemu-system-x86_64', '')
    assert.is((await find({ env: { BOXLEDGER_VMM: '  ' } })).kind, 'emulator')
  })
})

test('without any the message says what to install', async () => {
  await withPlace(async ({ find }) => {
    const message = await notFound(find())
    assert.match(message, 'cloud-hypervisor')
    assert.match(message, 'qemu-system-x86_64')
  })
})

test('the emulator serves where QEMU is, and says why', async () => {
  await withPlace(async ({ find, program }) => {
    program('qemu-system-x86_64', '')
    const { command, kind, why } = await find()
    assert.is(kind, 'emulator')
    assert.is(command[0], process.execPath)
    assert.ok(existsSync(command[1] ?? ''), command[1])
    assert.match(why, 'cloud-hypervisor is not on PATH')
  })
})

needsCloudHypervisor(test, 'a program that cannot run the guest is passed over, and tried once', async () => {
  await withPlace(async ({ dir, find, program }) => {
    program('qemu-system-x86_64', '')
    const script = `case "$*" in *-V*) echo "cloud-hypervisor v53.0";; *) echo x >> ${dir}/tries; exit 1;; esac`
    program('cloud-hypervisor', script)
    const found = await Promise.all([find(), find(), find()])
    for (const { kind } of found) assert.is(kind, 'emulator')
    assert.is((await find()).kind, 'emulator')
    assert.is(readdirSync(join(dir, 'cache', 'boxledger')).join(), 'probes.json')
    const { readFileSync } = await import('node:fs')
    assert.is(readFileSync(join(dir, 'tries'), 'utf8'), 'x\n')
  })
})

needsCloudHypervisor(test, 'a program that is too old is passed over', async () => {
  await withPlace(async ({ find, program }) => {
    program('cloud-hypervisor', 'echo "cloud-hypervisor v48.0"')
    program('qemu-system-x86_64', '')
    const { kind, why } = await find()
    assert.is(kind, 'emulator')
    assert.match(why, 'older than v50')
  })
})

needsCloudHypervisor(
  test,
  'cloud-hypervisor serves where its probe guest runs, and leaves nothing',
  async () => {
    await withPlace(async ({ dir, find }) => {
      const real = findOnPath('cloud-hypervisor') ?? ''
      symlinkSync(real, join(dir, 'bin', 'cloud-hypervisor'))
      const { kind, why } = await find()
      assert.is(kind, 'cloud-hypervisor', why)
      assert.is((await find()).kind, 'cloud-hypervisor')
      assert.equal(
        readdirSync(tmpdir()).filter(name => name.startsWith('boxledger-probe-')),
        [],
      )
    })
  },
)

needsCloudHypervisor(test, 'whether Linux runs is not known before there is one to try', async () => {
  await withPlace(async ({ dir, find }) => {
    symlinkSync(findOnPath('cloud-hypervisor') ?? '', join(dir, 'bin', 'cloud-hypervisor'))
    assert.match(await notFound(find({ guest: 'linux' })), 'not been tried')
    assert.not(existsSync(join(dir, 'cache')))
  })
})

test.run()
