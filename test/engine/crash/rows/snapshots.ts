import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Kill, Killed } from '../kill.ts'
import { leftIn, type Word } from '../scenarios/disks.ts'
import { killed, type Row, typesOf, wordsOf } from './row.ts'

/** The box runs on, as its first incarnation, and the snapshot came to this. */
const savedAs =
  (outcome: 'snapshot.committed' | 'snapshot.failed') =>
  ({ boxes, records }: Killed) => {
    assert.equal(wordsOf(boxes), ['running'])
    assert.is(boxes[0]?.incarnation, 1)
    const told = typesOf(records).filter(type => /^snapshot\.(committed|failed)$/.test(type))
    assert.equal(told, [outcome])
  }

/** All disks of the one box, or of the one of that name, are full of a word, and nothing lies about. */
const disksHold =
  (word: Word, name = 'it'): NonNullable<Kill['look']> =>
  async (runtime, home) => {
    const box = await runtime.get(name)
    assert.ok(box)
    for (const disk of ['disk-0.img', 'disk-2.img']) {
      const bytes = readFileSync(join(home, 'boxes', box.id, 'disks', disk))
      assert.ok(bytes.equals(Buffer.alloc(64 << 10, word)), `${disk} of ${name} holds what was ${word}`)
    }
    assert.equal(leftIn(home, box), [])
  }

const restoring = (...points: readonly string[]): Kill[] =>
  points.map(at => ({ scenario: 'a restore of disks', at, look: disksHold('kept') }))

/** A box that was saved goes on, whatever became of the snapshot. */
export const snapshots: readonly Row[] = [
  killed(
    22,
    'while a snapshot is written',
    [{ scenario: 'a snapshot', at: 'before vm.snapshot#1' }],
    savedAs('snapshot.failed'),
  ),
  killed(
    23,
    'when it is written, and that is not known',
    [{ scenario: 'a snapshot', at: 'after vm.snapshot#1' }],
    savedAs('snapshot.failed'),
  ),
  killed(
    24,
    'when the VM runs again, and the snapshot has no name',
    [
      { scenario: 'a snapshot', at: 'before describing a snapshot#1' },
      { scenario: 'a snapshot', at: 'before naming a snapshot#1' },
    ],
    savedAs('snapshot.committed'),
  ),
  killed(
    25,
    'when the snapshot has its name, and that is not known',
    [
      { scenario: 'a snapshot', at: 'after naming a snapshot#1' },
      { scenario: 'a snapshot', at: 'before append snapshot.committed#1' },
    ],
    savedAs('snapshot.committed'),
  ),
  killed(
    26,
    'while a VM is made of a snapshot',
    [
      { scenario: 'a restore', at: 'before vm.restore#1' },
      { scenario: 'a restore', at: 'after vm.restore#1' },
      { scenario: 'a restore', at: 'before append snapshot.restored#1' },
    ],
    ({ boxes }) => {
      assert.equal(wordsOf(boxes), ['running'])
      assert.is(boxes[0]?.incarnation, 2)
    },
  ),
  killed(
    22,
    'while disks are saved',
    [
      {
        ...{ scenario: 'a snapshot of a box with disks', at: 'after saving a disk#1' },
        look: disksHold('kept'),
      },
    ],
    savedAs('snapshot.failed'),
  ),
  killed(
    26,
    'while disks are replaced by those of a snapshot',
    restoring('after staging a disk#1', 'after taking disks#1', 'after replacing a disk#1'),
    ({ boxes }) => {
      assert.equal(wordsOf(boxes), ['running'])
      assert.is(boxes[0]?.incarnation, 2)
    },
  ),
  killed(
    26,
    'while a clone gets its disks',
    [
      {
        ...{ scenario: 'a clone with disks', at: 'after naming a disk#1' },
        look: disksHold('kept', 'other'),
      },
    ],
    ({ boxes }) => assert.equal(wordsOf(boxes), ['running', 'running']),
  ),
]
