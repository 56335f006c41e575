import * as assert from 'uvu/assert'
import { comesTo, goesOn, killed, type Row, typesOf } from './row.ts'

const at = (...boundaries: string[]) => boundaries.map(at => ({ scenario: 'start', at }))

/** The engine dies while it starts a box. */
export const starts: readonly Row[] = [
  killed(
    1,
    'before a start is recorded: it never happened',
    at('before append start.requested#1'),
    ({ boxes, records, before }) => {
      comesTo('configured')({ boxes, records, before } as never)
      assert.equal(typesOf(records), ['box.created'])
      assert.equal(before.runs, [])
    },
    { real: true },
  ),
  killed(
    2,
    'after the intent to spawn, before the run directory is made',
    at('after append start.requested#1', 'before making the run directory#1'),
    goesOn,
    { real: true },
  ),
  killed(
    3,
    'after the run directory is made, before the spawn; also with a life lock that nobody holds',
    at('after making the run directory#1', 'after taking the life lock#1', 'before spawn#1'),
    goesOn,
    { real: true },
  ),
  killed(
    4,
    'after the spawn, before it is recorded: the process is found',
    at('after spawn#1', 'before append vmm.spawned#1'),
    goesOn,
    { real: true },
  ),
  killed(5, 'while the socket is waited for', at('after append vmm.spawned#1'), goesOn, { real: true }),
  killed(
    6,
    'after the VMM is ready, before the VM is created',
    at('before append vmm.ready#1', 'after append vmm.ready#1'),
    goesOn,
    { real: true },
  ),
  killed(
    7,
    'with the creation sent and no outcome recorded',
    at('before vm.create#1', 'after vm.create#1', 'before append vm.created#1'),
    goesOn,
    { real: true },
  ),
  killed(
    7,
    'with the creation not sent, and its time long over: it has some time all the same',
    [{ scenario: 'a start of long ago', at: 'before vm.create#1' }],
    goesOn,
  ),
  killed(8, 'after the VM is created, before its boot', at('after append vm.created#1'), goesOn, {
    real: true,
  }),
  killed(
    9,
    'with the boot sent and no outcome recorded',
    at('before vm.boot#1', 'after vm.boot#1', 'before append vm.booted#1'),
    goesOn,
    { real: true },
  ),
  killed(
    9,
    'while the VMM boots, which blocks its socket: it is waited for',
    [{ scenario: 'a slow boot', killAfter: { boundary: 'before vm.boot#1', ms: 100 } }],
    goesOn,
  ),
  killed(
    10,
    'after the boot, before the guest is ready: its word is read from the console',
    [{ scenario: 'a start with a command', at: 'after append vm.booted#1' }],
    killed => {
      goesOn(killed)
      assert.is(killed.boxes[0]?.guestReady, true)
    },
  ),
]
