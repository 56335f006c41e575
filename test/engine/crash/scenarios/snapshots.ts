import { renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, type ErrorCode } from 'boxledger'
import { type Scenario, type Stage, small, started } from '../scenario.ts'

const refusedWith = async (work: Promise<unknown>, code: ErrorCode) => {
  const found = await work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : String(error)),
  )
  if (found !== code) throw new Error(`${found} instead of ${code}`)
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

const all = (home: string, { id }: Box) => join(home, 'boxes', id, 'snapshots')

/** A box is saved, goes on from there, and is cloned. */
export const snapshots: Readonly<Record<string, Scenario>> = {
  'a snapshot': {
    run: up(async (box, stage) => {
      await box.snapshots.create('one')
      await stage.acknowledge(box)
    }),
  },
  'a snapshot of a box that is paused': {
    async run({ runtime, begin, acknowledge }) {
      const box = await started(runtime)
      await box.pause()
      begin()
      await box.snapshots.create('one')
      await acknowledge(box)
    },
  },
  'a snapshot that fails': {
    run: up(
      async (box, stage) => {
        await refusedWith(box.snapshots.create('one'), 'INVALID_STATE')
        await stage.acknowledge(box)
      },
      small('idle', 'answer:vm.snapshot,status=500,nth=1'),
    ),
  },
  'a restore': {
    async run({ runtime, begin, acknowledge }) {
      const box = await started(runtime)
      await box.snapshots.create('one')
      await box.stop({ mode: 'kill' })
      await acknowledge(box)
      begin()
      await box.snapshots.restore('one')
      await acknowledge(box)
    },
  },
  'a clone': {
    run: up(async (box, stage) => {
      const clone = await box.clone()
      await stage.acknowledge(clone)
    }),
  },
  'a removal of a snapshot': {
    async run({ runtime, begin, acknowledge }) {
      const box = await started(runtime)
      await box.snapshots.create('one')
      await box.snapshots.create('two')
      begin()
      await box.snapshots.remove('one')
      await acknowledge(box)
      await box.stop({ mode: 'kill' })
      await box.snapshots.remove('two')
      await acknowledge(box)
    },
  },
  'a snapshot that cannot be deleted': {
    async run({ home, runtime, begin }) {
      const box = await started(runtime)
      await box.snapshots.create('one')
      renameSync(all(home, box), `${all(home, box)}.away`)
      symlinkSync(`${all(home, box)}.away`, all(home, box))
      begin()
      await refusedWith(box.snapshots.remove('one'), 'ENGINE_FAILED')
    },
  },
}
