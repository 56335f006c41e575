import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { askVmm } from '../../../support/ask-vmm.ts'
import { eventually } from '../../../support/eventually.ts'
import type { Kill } from '../kill.ts'
import { otherBoot, otherProcess } from '../ledger-edits.ts'
import { vmmsOf } from '../vmms.ts'
import { comesTo, goesOn, killed, type Row, typesOf } from './row.ts'

/** A box that runs, its engine dead, and what happens before there is another one. */
const running = (meanwhile?: Kill['meanwhile']): Kill[] => [
  { scenario: 'start', at: 'before leaving the owner#1', ...(meanwhile === undefined ? {} : { meanwhile }) },
]

async function end(home: string, signal: NodeJS.Signals): Promise<string> {
  const [vmm] = vmmsOf(home)
  for (const { pid } of vmmsOf(home)) process.kill(pid, signal)
  await eventually(() => vmmsOf(home).length === 0)
  return vmm?.box ?? ''
}

let stranger: ChildProcess | undefined

/** The engine dies while a box runs, is paused or is on its way down, and the world goes on. */
export const lives: readonly Row[] = [
  killed(
    11,
    'with a box that runs and nothing under way: it is adopted',
    running(),
    killed => {
      goesOn(killed)
      assert.is(typesOf(killed.records).at(-1), 'vmm.adopted')
    },
    { real: true },
  ),
  killed(
    12,
    'and the guest powers off meanwhile: no crash',
    running(async home => {
      const [vmm] = vmmsOf(home)
      // The trace that a guest leaves which powers off by itself.
      await askVmm(join(home, 'boxes', vmm?.box ?? '', '1'), 'vm.shutdown')
    }),
    comesTo('stopped guest-poweroff'),
    { real: true },
  ),
  killed(
    13,
    'and the VMM crashes meanwhile',
    running(home => end(home, 'SIGKILL')),
    comesTo('crashed crash'),
    { real: true },
  ),
  killed(
    13,
    'and the VMM has crashed: the restart policy starts it again',
    [{ scenario: 'a crash, and a restart by policy', at: 'before append vmm.exited#1' }],
    ({ boxes }) =>
      assert.equal(
        boxes.map(({ state, incarnation, restarts }) => [state, incarnation, restarts]),
        [['running', 2, 1]],
      ),
    { real: true },
  ),
  killed(
    14,
    'and the pid is another process by now, which is left alone',
    running(async home => {
      const box = await end(home, 'SIGKILL')
      stranger = spawn('sleep', ['60'])
      await otherProcess(home, box, { pid: stranger.pid ?? 0 })
    }),
    killed => {
      try {
        comesTo('crashed crash')(killed)
        assert.is(stranger?.exitCode ?? stranger?.signalCode, null)
      } finally {
        stranger?.kill('SIGKILL')
      }
    },
    { real: true },
  ),
  killed(
    15,
    'and the host reboots',
    running(async home => otherBoot(home, await end(home, 'SIGKILL'))),
    comesTo('stopped host-reboot'),
    { real: true },
  ),
  killed(
    16,
    'after a stop is recorded, before its first rung: the button is pressed',
    [{ scenario: 'a start with a command', at: 'after append stop.requested#1' }],
    killed => {
      comesTo('stopped requested')(killed)
      assert.not(typesOf(killed.records).includes('timer.fired'), 'its grace is not over')
    },
  ),
  killed(
    16,
    'after a stop is recorded, and its grace has passed since: the power is cut',
    [{ scenario: 'a stop of long ago', at: 'after append stop.requested#1' }],
    killed => {
      comesTo('stopped requested')(killed)
      const again = killed.records
        .flatMap(({ at, timers }) => timers.set.map(timer => ({ ...timer, at: Date.parse(at) })))
        .find(({ id }) => id.endsWith('pressingAgain'))
      assert.is(again?.dueAt, again?.at, 'nothing is left of it')
    },
  ),
  killed(
    17,
    'in any rung: the ladder is climbed on',
    [
      ...[
        'after vm.power-button#1',
        'after vm.power-button#2',
        'after vm.shutdown#1',
        'after vmm.shutdown#1',
      ].map(at => ({ scenario: 'a stop', at })),
      { scenario: 'a kill', at: 'after SIGKILL#1' },
      { scenario: 'pause, resume, and a stop while paused', at: 'after vm.resume#2' },
    ],
    comesTo('stopped requested'),
    { real: true },
  ),
  killed(
    17,
    'in the rung of SIGTERM',
    [{ scenario: 'a stop of a VMM that does not end', at: 'after SIGTERM#1' }],
    comesTo('stopped requested'),
  ),
  killed(
    18,
    'when the VMM is gone, before its end is recorded: it was asked for',
    [{ scenario: 'a stop', at: 'before append vmm.exited#1' }],
    comesTo('stopped requested'),
    { real: true },
  ),
  killed(
    19,
    'after the end is recorded, before the files are removed',
    [{ scenario: 'a guest that powers off, and its box with it', at: 'after append vmm.exited#1' }],
    comesTo(),
    { real: true },
  ),
  killed(
    20,
    'after a pause is recorded, before it is sent: it is sent',
    [{ scenario: 'pause, resume, and a stop while paused', at: 'before vm.pause#1' }],
    comesTo('paused'),
    { real: true },
  ),
  killed(
    21,
    'when the VM is paused, before that is recorded',
    [{ scenario: 'pause, resume, and a stop while paused', at: 'after vm.pause#1' }],
    comesTo('paused'),
    { real: true },
  ),
  killed(
    35,
    'after a removal is recorded: no VMM and no file is left',
    [{ scenario: 'a removal by force', at: 'after append remove.requested#1' }],
    comesTo(),
    { real: true },
  ),
  killed(
    36,
    'when the files are removed, before that is recorded: missing ones are fine',
    [{ scenario: 'a removal by force', at: 'after removing the files#1' }],
    comesTo(),
    { real: true },
  ),
  killed(
    42,
    'with a call in the VMM, which goes on with it: it is waited for, and settled',
    [{ scenario: 'a slow power cut', killAfter: { boundary: 'before vm.shutdown#1', ms: 100 } }],
    comesTo('stopped requested'),
  ),
  killed(
    43,
    'and the VMMs get SIGTERM with it: none of them has crashed',
    [
      {
        scenario: 'several boxes',
        at: 'before leaving the owner#1',
        meanwhile: home => end(home, 'SIGTERM'),
      },
    ],
    comesTo('stopped external', 'stopped external', 'stopped external'),
  ),
  killed(
    44,
    'and the host shuts down in good order: it has rebooted',
    running(async home => otherBoot(home, await end(home, 'SIGTERM'))),
    comesTo('stopped host-reboot'),
    { real: true },
  ),
]
