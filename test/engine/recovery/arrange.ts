import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Box, BoxRuntime } from 'boxledger'
import type { ProcessIdentity, PublicState } from 'boxledger/machines'
import { openLedger } from 'boxledger/store'
import { askVmm } from '../../support/ask-vmm.ts'
import { smallGuest } from '../../support/vmms.ts'
import { append } from '../crash/ledger-edits.ts'
import type { Boot, World } from './table.ts'

/** A box of the table, and the process that it had when the engine was closed. */
export interface Arranged {
  readonly id: string
  readonly state: PublicState
  readonly world: World
  readonly boot: Boot
  readonly dir: string
  pid: number
}

const idle = { image: smallGuest('idle') }
const kill = (pid: number): void => {
  process.kill(pid, 'SIGKILL')
}

async function started(runtime: BoxRuntime, name: string): Promise<Box> {
  const box = await runtime.create({ ...idle, name, stopTimeoutMs: 1_000 })
  await box.start()
  return box
}

/**
 * Brings a box into a public state. `removing` and `unknown` are passed through too fast to be met: the box is brought
 * to the state before, and {@link editLedger} writes the rest, as an engine does that dies before it has acted.
 */
export const reach: Readonly<Record<PublicState, (runtime: BoxRuntime, name: string) => Promise<Box>>> = {
  configured: (runtime, name) => runtime.create({ ...idle, name }),
  async starting(runtime, name) {
    const box = await runtime.create({ ...idle, name, ready: { console: 'never said' } })
    box.start().catch(() => {}) // the engine closes first
    await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 30_000 })
    return box
  },
  running: started,
  async paused(runtime, name) {
    const box = await started(runtime, name)
    await box.pause()
    return box
  },
  async stopping(runtime, name) {
    const box = await started(runtime, name)
    box.stop({ timeoutMs: 20_000 }).catch(() => {}) // the guest does not hear its button, and the engine closes first
    await box.waitFor(({ state }) => state === 'stopping')
    return box
  },
  async stopped(runtime, name) {
    const box = await started(runtime, name)
    await box.stop({ mode: 'kill' })
    return box
  },
  async crashed(runtime, name) {
    const box = await started(runtime, name)
    kill((await box.info()).pid ?? 0)
    await box.waitFor('down')
    return box
  },
  async failed(runtime, name) {
    const box = await runtime.create({ name, image: { kernel: '/nowhere' } })
    await box.start().catch(() => {}) // that is what is wanted
    return box
  },
  removing: started,
  async removed(runtime, name) {
    const box = await started(runtime, name)
    await box.remove({ force: true })
    return box
  },
  unknown: started,
}

/** Writes into a closed home what an engine that died had yet to act on, and processes that are not what they were. */
export async function editLedger(
  home: string,
  boxes: readonly Arranged[],
  stranger: number,
): Promise<Map<string, number>> {
  const bootId = '00000000-0000-0000-0000-000000000001'
  const ledger = await openLedger({ home, bootId, engine: 'test', now: () => Date.now() })
  const pids = new Map<string, number>()
  await Promise.all(
    boxes.map(async box => {
      const recorded = ledger.head(box.id)?.state.context.process
      if (recorded) {
        pids.set(box.id, recorded.pid)
        const changed: ProcessIdentity = {
          ...recorded,
          ...(box.boot === 'other boot' ? { bootId } : {}),
          ...(box.world === 'other pid namespace' ? { pidNamespace: '1' } : {}),
          ...(box.world === 'pid reused' ? { pid: stranger } : {}),
        }
        const { incarnation = 0 } = ledger.head(box.id)?.state.context ?? {}
        await append(ledger, box.id, { type: 'vmm.spawned', process: changed, incarnation })
        if (box.state === 'removing') await append(ledger, box.id, { type: 'remove.requested', force: true })
        if (box.state === 'unknown')
          await append(ledger, box.id, { type: 'box.unknown', reason: 'for the test', incarnation })
      }
    }),
  )
  await ledger.close()
  return pids
}

/** Makes the host what the row says. */
export async function arrange({ world, dir, pid }: Arranged): Promise<void> {
  switch (world) {
    case 'alive':
    case 'other pid namespace':
      return
    case 'dead':
    case 'pid reused':
      kill(pid)
      return
    case 'silent':
      process.kill(pid, 'SIGSTOP')
      return
    case 'no proof':
      // Even root cannot open a directory for writing.
      rmSync(join(dir, 'alive'))
      mkdirSync(join(dir, 'alive'))
      return
    case 'directory gone':
      kill(pid)
      return rmSync(dir, { recursive: true })
    case 'directory lost':
      return rmSync(dir, { recursive: true })
    case 'VM gone':
      return await askVmm(dir, 'vm.delete')
    case 'paused':
      return await askVmm(dir, 'vm.pause')
    case 'off':
      // The trace that a guest leaves which powers off by itself.
      return await askVmm(dir, 'vm.shutdown')
  }
}
