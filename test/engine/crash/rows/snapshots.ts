import * as assert from 'uvu/assert'
import type { Killed } from '../kill.ts'
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
]
