import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { fakeBuiltin } from './life/images.ts'
import { isAlive, processesWith } from './life/processes.ts'
import { emulatorOf } from './life/vmms.ts'
import { guest, runDir, saidOnConsole, withClient, withLoop } from './life/with-loop.ts'

const test = suite('faults')

const faulty = (...faults: readonly string[]) =>
  emulatorOf('none', ...faults.flatMap(fault => ['--fault', fault]))
const tick = guest('tick')

const failsWith = async (vmm: ReturnType<typeof emulatorOf>, code: string): Promise<void> => {
  await withLoop({ vmm, spec: tick }, async loop => {
    await loop.start('failed')
    assert.is(loop.state.context.ending?.code, code, JSON.stringify(loop.events))
    await eventually(() => processesWith(loop.options.home).length === 0, { what: 'no process' })
  })
}

test('a program that is not there, or cannot be run, is not found', async () => {
  const env = process.env
  await failsWith({ binary: '/nowhere/cloud-hypervisor', env }, 'VMM_NOT_FOUND')
  await failsWith({ binary: 'no-such-program', env }, 'VMM_NOT_FOUND')
  await failsWith({ binary: '/etc/passwd', env }, 'VMM_NOT_FOUND')
  await failsWith({ binary: [], env }, 'VMM_NOT_FOUND')
})

test('a VMM that ends before its socket answers has not started', async () => {
  await failsWith({ binary: '/bin/false', env: process.env }, 'VMM_START_FAILED')
  await failsWith(faulty('exit-at-start,code=3'), 'VMM_START_FAILED')
})

test('the log of a VMM that did not start is kept', async () => {
  await withLoop({ vmm: { binary: '/bin/ls', env: process.env }, spec: tick }, async loop => {
    await loop.start('failed')
    assert.match(loop.state.context.ending?.logTail ?? '', 'ls: ')
    assert.is(loop.find('vmm.exited')?.exitCode, 2)
  })
})

test('a VMM that is slow to start is waited for', async () => {
  await withLoop({ vmm: faulty('slow-start,ms=700'), spec: tick }, async loop => await loop.start())
})

test('a refused create or boot fails in the words of the VMM', async () => {
  const words = ['Error from API', 'The VM could not boot', 'No room on the moon']
  for (const call of ['vm.create', 'vm.boot'])
    await withLoop(
      { vmm: faulty(`answer:${call},status=500,body=${JSON.stringify(words)}`), spec: tick },
      async loop => {
        await loop.start('failed')
        const { ending } = loop.state.context
        assert.is(ending?.code, 'BOOT_FAILED')
        assert.equal(ending?.details?.vmm, words)
        assert.is(ending?.message, 'No room on the moon')
      },
    )
})

test('an answer that is lost, or a VMM that dies in a call, fails the boot', async () => {
  const faults = [
    'cut:vm.create',
    'cut:vm.boot,when=after',
    'die:vm.create',
    'die:vm.boot,when=after',
    'die:vm.boot,exit=1',
  ]
  for (const fault of faults)
    await withLoop({ vmm: faulty(fault), spec: tick }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => !loop.state.context.open, `the end after ${fault}`)
      assert.is(loop.public, 'failed', fault)
      assert.ok(['BOOT_FAILED', 'VMM_GONE'].includes(loop.state.context.ending?.code ?? ''), fault)
      assert.is(loop.count('vmm.exited'), 1)
    })
})

test('a stop reaches a VMM whose boot hangs', async () => {
  await withLoop({ vmm: faulty('hang:vm.boot'), spec: tick }, async loop => {
    loop.send({ type: 'start.requested' })
    await loop.until(() => loop.types().includes('vm.created'), 'the create')
    loop.send({ type: 'stop.requested', mode: 'kill' })
    await loop.reach('stopped', 3_000)
  })
})

test('a pause that fails leaves the box as it was', async () => {
  await withLoop({ vmm: faulty('answer:vm.pause,status=500,body=["no"]'), spec: tick }, async loop => {
    await loop.start()
    loop.send({ type: 'pause.requested' })
    await loop.until(() => loop.count('pause.failed') === 1, 'the failure')
    assert.is(loop.public, 'running')
  })
})

test('lost events are made up for by answers', async () => {
  await withLoop({ vmm: faulty('lose-events'), spec: { ...tick, stopTimeoutMs: 50 } }, async loop => {
    await loop.start()
    loop.send({ type: 'pause.requested' })
    await loop.reach('paused')
    loop.send({ type: 'resume.requested' })
    await loop.reach('running')
    loop.send({ type: 'stop.requested', mode: 'graceful' })
    await loop.reach('stopped')
  })
})

test('an orderly end whose last events are lost is one, also of a VMM that was adopted', async () => {
  await withLoop({ vmm: faulty('lose-events'), spec: tick }, async loop => {
    await loop.start()
    process.kill(loop.pid, 'SIGTERM')
    await loop.reach('stopped')
    assert.is(loop.state.context.ending?.cause, 'external')
    await loop.start()
    loop.die()
    loop.revive()
    await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
    process.kill(loop.pid, 'SIGTERM')
    await loop.reach('stopped')
    assert.is(loop.state.context.ending?.cause, 'external')
    assert.is(loop.state.context.ending?.vmm, undefined, 'nobody can know its exit code')
  })
})

test('a shutdown whose answer is lost is one', async () => {
  await withLoop({ vmm: faulty('cut:vmm.shutdown,when=after'), spec: tick }, async loop => {
    await loop.start()
    loop.send({ type: 'stop.requested', mode: 'force' })
    await loop.reach('stopped')
    assert.is(loop.find('stop.rung')?.result, 'done')
  })
})

test('adopting waits for a VMM that is slow to answer', async () => {
  await withLoop({ vmm: faulty('slow:vm.info,ms=1500'), spec: tick }, async loop => {
    await loop.start()
    loop.die()
    loop.revive()
    await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
  })
})

test('a guest says when it is ready, and how its command ended', async () => {
  await withLoop(
    { vmm: emulatorOf('none'), spec: { command: ['true'] }, prepare: fakeBuiltin },
    async loop => {
      await loop.start()
      assert.is(loop.count('guest.ready'), 1)
      assert.ok(loop.state.context.seen.ready)
      assert.is(statSync(join(runDir(loop), 'initramfs')).mode & 0o777, 0o600)
      writeFileSync(join(runDir(loop), 'serial.log'), '\r\nboxledger: command exited 42\r\n', { flag: 'a' })
      await loop.until(() => loop.count('command.exited') === 1, 'the exit of the command')
      process.kill(loop.pid, 'SIGTERM')
      await loop.reach('stopped')
      assert.is(loop.state.context.ending?.exitCode, 42)
    },
  )
})

test('a command needs an init that runs it', async () => {
  await withLoop({ vmm: emulatorOf('none'), spec: { ...tick, command: ['true'] } }, async loop => {
    await loop.start('failed')
    assert.is(loop.state.context.ending?.code, 'UNSUPPORTED')
  })
})

test('a pattern on the console says when the guest is ready', async () => {
  const spec = { ...guest('tick'), ready: { console: '^guest: tick [3-9]' } }
  await withLoop({ vmm: emulatorOf('none'), spec }, async loop => {
    loop.send({ type: 'start.requested' })
    await loop.until(() => loop.types().includes('vm.booted'), 'the boot')
    assert.is(loop.public, 'starting')
    await loop.reach('running')
    assert.is(loop.count('guest.ready'), 1)
  })
  await withLoop({ vmm: emulatorOf('none'), spec: { ...tick, ready: { console: '(' } } }, async loop => {
    await loop.start('failed')
    assert.is(loop.state.context.ending?.code, 'INVALID_ARGUMENT')
  })
})

test('a guest that prints without end fills neither memory nor disk', async () => {
  const spec = { ...guest('idle'), ready: { console: 'never' } }
  await withLoop({ vmm: emulatorOf('none'), spec }, async loop => {
    loop.send({ type: 'start.requested' })
    await loop.until(() => loop.types().includes('vm.booted'), 'the boot')
    const serial = join(runDir(loop), 'serial.log')
    await saidOnConsole(loop, 'guest: idle')
    // As a VMM writes: on and on from where it was, whatever is done to the file.
    const mib = Buffer.alloc(1 << 20, 'x')
    const file = openSync(serial, 'r+')
    for (let n = 0; n < 40; n++) writeSync(file, mib, 0, mib.length, 1000 + n * mib.length)
    await eventually(() => statSync(serial).size === 0, { what: 'the cut', timeoutMs: 10_000 })
    writeSync(file, '\nnever\n', 1000 + 40 * mib.length)
    closeSync(file)
    await loop.reach('running')
    const text = await saidOnConsole(loop, 'never')
    assert.ok(text.length > 1 << 19 && text.length < 3 << 20, `${text.length} characters`)
  })
})

test('a wrapper is fine if it becomes the VMM', async () => {
  await withLoop({ vmm: { binary: [], env: {} }, spec: tick }, async loop => {
    const script = join(loop.options.home, 'wrapper')
    const { binary } = emulatorOf('none')
    const words = (binary as string[]).map(word => `'${word}'`).join(' ')
    writeFileSync(script, `#!/bin/sh\nexec ${words} "$@"\n`)
    chmodSync(script, 0o755)
    loop.options.vmm = { env: { ...process.env, BOXLEDGER_VMM: `"${script}" -v` } }
    await loop.start()
    assert.match(readFileSync(`/proc/${loop.pid}/cmdline`, 'latin1'), '--backend')
    assert.ok(existsSync(join(runDir(loop), 'vmm.log')))
    await withClient(loop, async client => assert.is((await client.ping()).pid, loop.pid))
    assert.ok(isAlive(loop.pid))
  })
})

test.run()
