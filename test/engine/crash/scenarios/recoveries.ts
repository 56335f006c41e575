import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import { damage } from '../../../api/damage.ts'
import { askVmm } from '../../../support/ask-vmm.ts'
import { otherBoot } from '../ledger-edits.ts'
import { type Binary, type Scenario, type Stage, settled, small, started } from '../scenario.ts'
import { vmmsOf } from '../vmms.ts'

const secrets = { env: { TOKEN: { secret: 'token' } }, secrets: { token: 'correct-horse' } } as const

/** Makes a home with the work of an owner that has closed it; its VMMs run on. */
async function makeHome<T>(
  home: string,
  binary: Binary,
  work: (runtime: BoxRuntime) => Promise<T>,
): Promise<T> {
  await using runtime = await BoxRuntime.open({ home, vmm: { binary } })
  return await work(runtime)
}

async function allSettled({ runtime }: Stage): Promise<void> {
  for (const { id } of await runtime.listInfo()) {
    const box = await runtime.get(id)
    if (box !== undefined) await settled(box)
  }
}

const killVmms = (home: string) => {
  for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
}

/** What an owner finds when it opens the home of another. */
export const recoveries: Record<string, Scenario> = {
  'any home': { fromOpening: true, recovers: true, run: allSettled },
  'a VM that was paused meanwhile': {
    real: true,
    pausesFromOutside: true,
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, started)
      await askVmm(join(home, 'boxes', id, '1'), 'vm.pause')
    },
    run: allSettled,
  },
  'a VM that was deleted meanwhile': {
    real: true,
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, started)
      await askVmm(join(home, 'boxes', id, '1'), 'vm.delete')
    },
    run: allSettled,
  },
  'a host that has rebooted': {
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, started)
      killVmms(home)
      await otherBoot(home, id)
    },
    run: allSettled,
  },
  'a VMM that cannot be looked at': {
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, started)
      // Even root cannot open a directory for writing.
      const lock = join(home, 'boxes', id, '1', 'alive')
      rmSync(lock)
      mkdirSync(lock)
    },
    async run(stage) {
      const box = await stage.runtime.get('it')
      await box?.waitFor(({ state, recovering }) => state === 'unknown' && !recovering, { timeoutMs: 30_000 })
      killVmms(stage.home)
      await stage.runtime.resolve('it', 'dead')
      if (box !== undefined) await stage.acknowledge(box)
    },
  },
  'incarnations that the ledger has lost': {
    real: true,
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, runtime => runtime.create(small()))
      for (const incarnation of ['1', '9'])
        mkdirSync(join(home, 'boxes', id, incarnation), { recursive: true, mode: 0o700 })
    },
    async run({ runtime, acknowledge }) {
      const box = await runtime.get('it')
      await box?.start()
      if (box !== undefined) await acknowledge(box)
    },
  },
  'boxes that were being made': {
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, runtime => runtime.create({ ...small(), ...secrets }))
      const kept = join(home, 'secrets', id)
      cpSync(kept, join(home, 'secrets', 'aaaaaaaaaaaa.draft'))
      renameSync(kept, `${kept}.draft`)
    },
    run: allSettled,
  },
  'a head that is damaged': {
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const { id } = await makeHome(home, binary, runtime => runtime.create(small()))
      await damage(home, `h/${id}`)
    },
    run: allSettled,
  },
  'a copy that is adopted': {
    fromOpening: true,
    recovers: true,
    async prepare(home, binary) {
      const origin = `${home}-origin`
      await makeHome(origin, binary, runtime => runtime.create(small()))
      cpSync(origin, home, { recursive: true })
    },
    async run(stage) {
      await stage.runtime.adopt()
      await stage.runtime.rename('it', 'adopted')
      await allSettled(stage)
    },
  },
}
