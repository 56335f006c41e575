import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Box } from 'boxledger'
import { type Scenario, type Stage, small, started } from '../scenario.ts'

/** What a disk is full of: as its image made it, as it was saved, and as it was when the box was restored. */
export type Word = 'made' | 'kept' | 'lost'

const filled = (word: Word) => Buffer.alloc(64 << 10, word)

const dirOf = (home: string, { id }: Pick<Box, 'id'>) => join(home, 'boxes', id, 'disks')

/** All disks that a box has for itself come to hold the same. */
function fill(home: string, box: Box, word: Word): void {
  for (const name of ['disk-0.img', 'disk-2.img']) writeFileSync(join(dirOf(home, box), name), filled(word))
}

/** A box with two disks of its own, full of what is to be kept, that is up. */
async function up({ home, runtime }: Stage): Promise<Box> {
  const path = `${home}.disk`
  writeFileSync(path, filled('made'))
  const { image } = small()
  const disks = [{ path }, { path, readonly: true }, { path }]
  await runtime.images.add('mine', { ...(image as { kernel: string; cmdline: string }), disks })
  const box = await started(runtime, { ...small(), image: 'mine' })
  fill(home, box, 'kept')
  return box
}

/** A box is saved with its disks, gets them back, and gives them to another one. */
export const disks: Readonly<Record<string, Scenario>> = {
  'a snapshot of a box with disks': {
    async run(stage) {
      const box = await up(stage)
      await stage.acknowledge(box)
      stage.begin()
      await box.snapshots.create('one')
      await stage.acknowledge(box)
    },
  },
  'a restore of disks': {
    async run(stage) {
      const box = await up(stage)
      await box.snapshots.create('one')
      await box.stop({ mode: 'kill' })
      fill(stage.home, box, 'lost')
      mkdirSync(join(dirOf(stage.home, box), '.restoring-1'), { mode: 0o700 })
      await stage.acknowledge(box)
      stage.begin()
      await box.snapshots.restore('one')
      await stage.acknowledge(box)
    },
  },
  'a clone with disks': {
    async run(stage) {
      const box = await up(stage)
      await box.snapshots.create('one')
      fill(stage.home, box, 'lost')
      await stage.acknowledge(box)
      stage.begin()
      const clone = await box.clone({ name: 'other', snapshot: 'one' })
      await stage.acknowledge(clone)
    },
  },
}

/** Names in the directory of a box's own disks that are no disks. */
export const leftIn = (home: string, box: Pick<Box, 'id'>): string[] =>
  readdirSync(dirOf(home, box)).filter(name => !/^disk-\d\.img$/.test(name))
