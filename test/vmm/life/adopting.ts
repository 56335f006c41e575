import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessIdentity } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Test } from '../../support/suite.ts'
import type { Loop } from './loop.ts'
import { isAlive, processesWith } from './processes.ts'
import type { TestedVmm } from './vmms.ts'
import { guest, runDir, withClient, withLoop } from './with-loop.ts'

/** What the ledger says of the process, changed. */
function forge(loop: Loop, change: Partial<ProcessIdentity>): void {
  const { context } = loop.state
  if (context.process === null) throw new Error('no process is known')
  loop.state = { ...loop.state, context: { ...context, process: { ...context.process, ...change } } }
}

export function testAdopting(test: Test, { name, choice: vmm, register }: TestedVmm): void {
  register(test, 'a VMM that outlives its engine is adopted, and told what happens to it', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      const { pid } = loop
      loop.die()
      assert.ok(isAlive(pid))
      loop.revive()
      await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
      assert.is(loop.public, 'running')
      assert.is(loop.pid, pid)
      assert.is(loop.count('vm.booted'), 1, 'what was told is not told again')
      loop.send({ type: 'pause.requested' })
      await loop.reach('paused')
      process.kill(pid, 'SIGKILL')
      await loop.reach('crashed', 5_000)
      assert.is(loop.find('vmm.exited')?.signal, undefined, 'nobody could know')
    })
  })

  register(test, 'what happened meanwhile is told in order, once', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      loop.die()
      const recorded = loop.events.length
      await withClient(loop, async client => {
        await client.act('vm.pause')
        await client.act('vm.resume')
        await client.act('vm.pause')
      })
      loop.revive()
      await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
      const told = loop.types().slice(recorded)
      assert.equal(told, ['vm.paused', 'vm.resumed', 'vm.paused', 'vmm.adopted'])
      assert.is(loop.public, 'paused')
      loop.die()
      loop.revive()
      await loop.until(() => loop.count('vmm.adopted') === 2, 'the second adoption')
      assert.is(loop.count('vm.paused'), 2)
    })
  })

  register(test, 'a power-off meanwhile is no crash', async () => {
    await withLoop({ vmm, spec: guest('late') }, async loop => {
      await loop.start()
      loop.die()
      await withClient(loop, async client => {
        await eventually(async () => (await client.info())?.vm === 'created', { timeoutMs: 15_000 })
      })
      loop.revive()
      await loop.reach('stopped')
      assert.is(loop.state.context.ending?.cause, 'guest-poweroff')
      assert.is(loop.count('guest.powered-off'), 1)
    })
  })

  register(test, 'a death meanwhile is a crash, and a stranger with its pid is left alone', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      const { pid } = loop
      loop.die()
      process.kill(pid, 'SIGKILL')
      await eventually(() => !isAlive(pid))
      const stranger = spawn('sleep', ['60'])
      try {
        await once(stranger, 'spawn')
        forge(loop, { pid: stranger.pid ?? 0 })
        loop.revive()
        await loop.reach('crashed')
        assert.ok(isAlive(stranger.pid ?? 0))
      } finally {
        stranger.kill('SIGKILL')
      }
    })
  })

  register(
    test,
    'a process that is not the recorded one is neither signalled nor taken for dead',
    async () => {
      await withLoop({ vmm, spec: guest('tick') }, async loop => {
        await loop.start()
        const { pid } = loop
        loop.die()
        forge(loop, { startTime: '1' })
        loop.revive()
        await loop.reach('unknown')
        assert.ok(isAlive(pid))
        assert.is(loop.count('vmm.exited'), 0)
        process.kill(pid, 'SIGKILL')
        await loop.reach('crashed')
      })
    },
  )

  register(test, 'a kill does not reach a process that is not the recorded one', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      const { pid } = loop
      loop.die()
      forge(loop, { startTime: '1' })
      loop.revive({ look: false })
      loop.send({ type: 'stop.requested', mode: 'kill' })
      await loop.until(() => loop.count('stop.rung') === 1, 'the rung')
      assert.is(loop.find('stop.rung')?.result, 'failed')
      assert.ok(isAlive(pid))
    })
  })

  register(test, 'a host that came up anew is told as such', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      loop.die()
      process.kill(loop.pid, 'SIGKILL')
      await eventually(() => !isAlive(loop.pid))
      forge(loop, { bootId: '00000000-0000-0000-0000-000000000000' })
      loop.revive()
      await loop.reach('stopped')
      assert.is(loop.state.context.ending?.cause, 'host-reboot')
    })
  })

  register(test, 'the box of another at the socket is not adopted', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      loop.die()
      await withClient(loop, async client => {
        const info = await client.info()
        await client.act('vm.shutdown')
        const config = { ...info?.config, platform: { uuid: '11111111-2222-5333-8444-555555555555' } }
        await remake(loop, config)
      })
      loop.revive()
      await loop.reach('unknown')
      assert.match(loop.state.context.unknownReason ?? '', 'UUID')
    })
  })

  register(test, 'a spawn that was not recorded is found', async () => {
    await withLoop({ vmm, spec: guest('tick'), dieAtFact: 'vmm.spawned' }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => loop.isDead, 'the death')
      const [pid] = processesWith(loop.options.home)
      loop.revive()
      await loop.reach('running')
      assert.is(loop.pid, pid)
      assert.equal(
        processesWith(runDir(loop)).filter(other => other !== pid && name !== 'qemu'),
        [],
      )
    })
  })

  register(test, 'a spawn that was not recorded and has died is told as an end', async () => {
    await withLoop({ vmm, spec: guest('tick'), dieAtFact: 'vmm.spawned' }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => loop.isDead, 'the death')
      await eventually(() => existsSync(join(runDir(loop), 'api.sock')), { what: 'its socket' })
      for (const pid of processesWith(loop.options.home)) process.kill(pid, 'SIGKILL')
      await eventually(() => processesWith(loop.options.home).length === 0)
      loop.revive()
      await loop.reach('failed')
      assert.is(loop.state.context.ending?.code, 'VMM_START_FAILED')
      assert.is(loop.state.context.incarnation, 1)
    })
  })

  register(test, 'a spawn that was asked for and not done is done', async () => {
    await withLoop({ vmm, spec: guest('tick'), dieAtEffect: 'spawnVmm' }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => loop.isDead, 'the death')
      assert.equal(processesWith(loop.options.home), [])
      loop.revive()
      await loop.reach('running')
      assert.is(loop.state.context.incarnation, 1)
    })
  })

  register(test, 'a start that is cut off anywhere goes on, with one process', async () => {
    const facts = ['vmm.ready', 'vm.created', 'vm.booted'] as const
    const effects = ['prepareFiles', 'awaitVmm', 'createVm', 'bootVm'] as const
    const deaths = [
      ...facts.map(dieAtFact => ({ dieAtFact })),
      ...effects.map(dieAtEffect => ({ dieAtEffect })),
    ]
    for (const death of deaths) {
      await withLoop({ vmm, spec: guest('tick'), ...death }, async loop => {
        loop.send({ type: 'start.requested' })
        await loop.until(() => loop.isDead, `the death at ${JSON.stringify(death)}`)
        loop.revive()
        await loop.reach('running')
        assert.is(loop.count('vmm.spawned'), 1)
        assert.is(loop.count('vm.booted'), 1, JSON.stringify(death))
        assert.is(loop.state.context.incarnation, 1)
      })
    }
  })

  register(test, 'a guest that is off again before the boot was recorded', async () => {
    await withLoop({ vmm, spec: guest('off'), dieAtFact: 'vm.booted' }, async loop => {
      loop.send({ type: 'start.requested' })
      await loop.until(() => loop.isDead, 'the death')
      await withClient(loop, async client => {
        await eventually(async () => (await client.info())?.vm === 'created')
      })
      loop.revive()
      await loop.reach('stopped')
      assert.is(loop.state.context.ending?.cause, 'guest-poweroff')
      assert.ok(loop.types().indexOf('vm.booted') < loop.types().indexOf('guest.powered-off'))
    })
  })

  register(test, 'a stop that is cut off anywhere goes on', async () => {
    const effects = ['pressButton', 'cutPower', 'closeVmm'] as const
    for (const dieAtEffect of effects) {
      await withLoop({ vmm, spec: { ...guest('tick'), stopTimeoutMs: 100 }, dieAtEffect }, async loop => {
        await loop.start()
        loop.send({ type: 'stop.requested', mode: 'graceful' })
        await loop.until(() => loop.isDead, `the death at ${dieAtEffect}`)
        loop.revive()
        await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
        if (dieAtEffect === 'pressButton') loop.send({ type: 'stop.requested', mode: 'force' })
        await loop.reach('stopped')
        assert.is(loop.state.context.ending?.cause, 'requested', dieAtEffect)
      })
    }
  })

  register(test, 'what cannot be looked at is not dead', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      const { pid } = loop
      loop.die()
      const lock = join(runDir(loop), 'alive')
      rmSync(lock)
      mkdirSync(lock)
      loop.revive()
      await loop.reach('unknown')
      assert.ok(isAlive(pid))
      rmSync(lock, { recursive: true })
      await loop.reach('running')
      assert.is(loop.pid, pid)
    })
  })

  register(test, 'without the lock of its run directory the pid serves as proof', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      const { pid } = loop
      loop.die()
      rmSync(join(runDir(loop), 'alive'))
      loop.revive()
      await loop.until(() => loop.count('vmm.adopted') === 1, 'the adoption')
      process.kill(pid, 'SIGKILL')
      await loop.reach('crashed', 5_000)
    })
  })
}

/** Deletes the VM and makes another in its place, as nobody but a stranger would. */
async function remake(loop: Loop, config: Readonly<Record<string, unknown>>): Promise<void> {
  const { request } = await import('node:http')
  const call = (name: string, body?: string) =>
    new Promise<void>((resolve, reject) => {
      const socketPath = join(runDir(loop), 'api.sock')
      const sent = request({ socketPath, method: 'PUT', path: `/api/v1/${name}`, agent: false }, answer => {
        answer.resume().on('end', () => {
          if (answer.statusCode === 204) resolve()
          else reject(new Error(`${name}: ${answer.statusCode}`))
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  await call('vm.delete')
  await call('vm.create', JSON.stringify(config))
}
