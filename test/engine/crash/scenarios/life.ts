import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError } from 'boxledger'
import { plantImage } from '../../../examples/stand-in-image.ts'
import { eventually } from '../../../support/eventually.ts'
import { type Scenario, type Stage, small, started } from '../scenario.ts'

const secrets = { env: { TOKEN: { secret: 'token' } }, secrets: { token: 'correct-horse' } } as const

const dirOf = (home: string, id: string, incarnation = 1) => join(home, 'boxes', id, String(incarnation))

/** A refusal that the scenario is about. */
const refused = async (work: Promise<unknown>) => {
  await work.then(
    () => {
      throw new Error('It was not refused')
    },
    error => {
      if (!BoxError.is(error)) throw error
    },
  )
}

/** A box that is up, and what happens to it then. */
const up =
  (happen: (box: Box, stage: Stage) => Promise<unknown>, options = small()) =>
  async (stage: Stage) => {
    const box = await started(stage.runtime, options)
    await stage.acknowledge(box)
    stage.begin()
    await happen(box, stage)
  }

/** Starts that go well, or not. */
export const starts = {
  start: {
    real: true,
    async run({ runtime, begin, acknowledge }) {
      begin()
      const box = await runtime.create(small())
      await acknowledge(box)
      await box.start()
      await acknowledge(box)
    },
  },
  'a start with a command': {
    async prepare(home) {
      mkdirSync(home, { mode: 0o700 })
      await plantImage(home)
    },
    async run({ home, runtime, begin }) {
      const box = await runtime.create({ command: ['work'], ...secrets, stopTimeoutMs: 5_000 })
      begin()
      await box.start()
      // What the init of the built-in guest prints when the command has ended.
      appendFileSync(join(dirOf(home, box.id), 'serial.log'), 'boxledger: command exited 3\n')
      await eventually(async () => {
        for await (const { event } of runtime.history(box.id))
          if (event.type === 'command.exited') return true
        return false
      })
      await box.stop()
    },
  },
  'a boot that fails': {
    real: true,
    async run({ runtime, begin, acknowledge }) {
      const box = await runtime.create({ ...small(), image: { kernel: '/nowhere/vmlinux' } })
      begin()
      await refused(box.start())
      await acknowledge(box)
    },
  },
  'a VMM that cannot be run': {
    vmm: home => join(home, 'no-vmm'),
    async prepare(home) {
      mkdirSync(home, { mode: 0o700 })
      writeFileSync(join(home, 'no-vmm'), '#!/nowhere/at/all\n')
      chmodSync(join(home, 'no-vmm'), 0o755)
    },
    async run({ runtime, begin, acknowledge }) {
      const box = await runtime.create(small())
      begin()
      await refused(box.start())
      await acknowledge(box)
    },
  },
} satisfies Record<string, Scenario>

/** What is asked of a box that is up. */
export const commands = {
  'a stop': {
    real: true,
    run: up(async (box, stage) => {
      await box.stop()
      await stage.acknowledge(box)
    }),
  },
  'a forced stop': {
    real: true,
    run: up(async (box, stage) => {
      await box.stop({ mode: 'force' })
      await stage.acknowledge(box)
    }),
  },
  'a kill': {
    real: true,
    run: up(async (box, stage) => {
      await box.stop({ mode: 'kill' })
      await stage.acknowledge(box)
    }),
  },
  'a stop of a VMM that does not end': {
    run: up(
      async (box, stage) => {
        await box.stop({ mode: 'force' })
        await stage.acknowledge(box)
      },
      small('idle', 'answer:vmm.shutdown,status=500'),
    ),
  },
  'pause, resume, and a stop while paused': {
    real: true,
    run: up(async (box, stage) => {
      await box.pause()
      await stage.acknowledge(box)
      await box.resume()
      await stage.acknowledge(box)
      await box.pause()
      await box.stop()
      await stage.acknowledge(box)
    }),
  },
  'a pause and a resume that fail': {
    async run({ runtime, begin, acknowledge }) {
      const box = await started(runtime, small('idle', 'answer:vm.pause,status=500,nth=1'))
      const other = await started(runtime, {
        ...small('idle', 'answer:vm.resume,status=500,nth=1'),
        name: 'other',
      })
      begin()
      await refused(box.pause())
      await acknowledge(box)
      await other.pause()
      await refused(other.resume())
      await acknowledge(other)
    },
  },
  'a restart': {
    real: true,
    run: up(async (box, stage) => {
      await box.restart()
      await stage.acknowledge(box)
    }),
  },
  'a removal by force': {
    real: true,
    run: up(
      async (box, stage) => {
        await box.remove({ force: true })
        stage.acknowledgeRemoval(box.id)
      },
      { ...small(), ...secrets },
    ),
  },
  'an owner that closes, and a box that ends with it': {
    real: true,
    async run({ runtime, begin }) {
      const box = await runtime.create({ ...small(), detach: false })
      begin()
      await box.start()
      await runtime.close()
    },
  },
} satisfies Record<string, Scenario>

/** What befalls a box. */
export const fates = {
  'a crash, and a restart by policy': {
    real: true,
    async run({ runtime, begin }) {
      const restart = { policy: 'on-failure', backoff: { initialMs: 20 } } as const
      const box = await started(runtime, { ...small(), restart })
      begin()
      process.kill((await box.info()).pid ?? 0, 'SIGKILL')
      await box.waitFor(({ state, incarnation }) => state === 'running' && incarnation === 2)
    },
  },
  'a guest that powers off, and its box with it': {
    endsItself: true,
    real: true,
    async run({ runtime, begin, acknowledgeRemoval }) {
      const box = await runtime.create({ ...small('off'), ...secrets, autoRemove: true })
      begin()
      await box.start()
      await box.waitFor('gone')
      acknowledgeRemoval(box.id)
    },
  },
  'a guest that reboots and reboots': {
    endsItself: true,
    real: true,
    async run({ runtime, begin }) {
      const box = await runtime.create(small('reset'))
      begin()
      await box.start()
      await box.waitFor('down', { timeoutMs: 30_000 })
    },
  },
  'a guest that panics': {
    endsItself: true,
    real: true,
    async run({ runtime, begin }) {
      const box = await runtime.create(small('panic'))
      begin()
      await box.start()
      await box.waitFor('down', { timeoutMs: 30_000 })
    },
  },
} satisfies Record<string, Scenario>
