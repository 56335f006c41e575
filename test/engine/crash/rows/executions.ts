import * as assert from 'uvu/assert'
import type { Killed } from '../kill.ts'
import { killed, type Row, typesOf, wordsOf } from './row.ts'

/** The box runs on, and nobody knows how its command has ended: it is lost, and not run again. */
const lost = ({ boxes, records }: Killed) => {
  assert.equal(wordsOf(boxes), ['running'])
  assert.is(boxes[0]?.incarnation, 1)
  const told = typesOf(records.filter(({ execution }) => execution !== undefined))
  assert.equal(told, ['exec.started', 'exec.lost'])
}

/** Commands end with the engine that runs them. */
export const executions: readonly Row[] = [
  killed(
    33,
    'when a command was sent to the guest, and has not ended',
    [
      { scenario: 'executions', at: 'before running a command#1' },
      { scenario: 'executions', at: 'after running a command#1' },
    ],
    lost,
  ),
  killed(
    34,
    'when a command has ended, and that is not recorded',
    [{ scenario: 'executions', at: 'before append exec.ended#1' }],
    lost,
  ),
]
