import { box } from './setup.ts'
import { stops } from './stopping.ts'

/** Where a start ends that comes to nothing, and what is noted of why. */
const over = (
  target: '#box.failed' | '#box.stopped',
  ...notes: ('noteNoStart' | 'noteNoBoot' | 'noteGone')[]
) => {
  const actions = [...notes, 'recordEnding'] as const
  return [
    { guard: 'goesAway', target: '#box.removing.deleting', actions },
    { target, actions },
  ] as const
}

export const starting = box.createStateConfig({
  description: 'On its way up; the stage within says how far',
  tags: 'busy',
  initial: 'queued',
  on: {
    'box.renamed': { actions: 'rename' },
    'start.failed': { target: 'stopping.killing', actions: 'noteFailure' },
    'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
    'stop.requested': [
      { guard: 'asksKill', target: 'stopping.killing', actions: 'intendStop' },
      { target: 'stopping.closing', actions: 'intendStop' },
    ],
    'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
  },
  states: {
    queued: {
      description: 'Waits for its turn: at most as many starts at once as the machine has cores',
      invoke: { id: 'queueStart', src: 'queueStart' },
      on: {
        'start.stage': { target: 'preparing' },
        'start.failed': over('#box.failed'),
        'stop.requested': over('#box.stopped'),
        'remove.requested': {
          guard: 'isForced',
          target: '#box.removing.deleting',
          actions: ['recordEnding', 'intendRemoval'],
        },
      },
    },
    preparing: {
      description: 'The image and the run directory are made ready',
      invoke: { id: 'prepareFiles', src: 'prepareFiles' },
      on: {
        'start.stage': { target: 'spawning' },
        'start.failed': over('#box.failed'),
        'stop.requested': over('#box.stopped'),
        'remove.requested': {
          guard: 'isForced',
          target: '#box.removing.deleting',
          actions: ['recordEnding', 'intendRemoval'],
        },
      },
    },
    spawning: {
      description: 'The VMM process is being made',
      invoke: { id: 'spawnVmm', src: 'spawnVmm' },
      on: {
        'vmm.spawned': { target: 'connecting', actions: 'recordProcess' },
        'start.failed': over('#box.failed'),
        'vmm.exited': over('#box.failed', 'noteNoStart'),
      },
    },
    connecting: {
      description: "The VMM's socket is waited for",
      invoke: { id: 'awaitVmm', src: 'awaitVmm' },
      after: { vmmReadyLimit: { target: '#box.stopping.killing', actions: 'noteSilent' } },
      on: {
        'vmm.ready': { target: 'creating', actions: 'recordVersion' },
        'vmm.exited': over('#box.failed', 'noteNoStart'),
      },
    },
    creating: {
      description: 'The VM is being described to the VMM',
      invoke: { id: 'createVm', src: 'createVm' },
      after: { createLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
      on: {
        'vm.created': { target: 'booting' },
        'vmm.exited': over('#box.failed', 'noteNoBoot'),
      },
    },
    booting: {
      description: 'The VM is being booted',
      invoke: { id: 'bootVm', src: 'bootVm' },
      after: { bootLimit: { target: '#box.stopping.killing', actions: 'noteSlowBoot' } },
      on: {
        'vm.booted': [
          { guard: 'readyAtBoot', target: '#box.running', actions: 'recordBoot' },
          { target: 'waiting', actions: 'recordBoot' },
        ],
        'vmm.exited': over('#box.failed', 'noteNoBoot'),
      },
    },
    waiting: {
      description: 'The VM runs; the guest has not said that it is ready',
      invoke: { id: 'awaitGuest', src: 'awaitGuest' },
      after: { guestReadyLimit: { target: '#box.running' } },
      on: {
        'guest.ready': { target: '#box.running', actions: 'recordGuestReady' },
        'vm.paused': { target: '#box.paused' },
        'vmm.adopted': [
          { guard: 'vmPaused', target: '#box.paused', actions: 'recordProcess' },
          {
            guard: 'vmAbsent',
            target: '#box.stopping.closing',
            actions: ['recordProcess', 'recordPowerOff'],
          },
          { actions: 'recordProcess' },
        ],
        'guest.panicked': { target: '#box.stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
        'guest.rebooted': [
          { guard: 'loops', target: '#box.stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
          { actions: 'recordReboot' },
        ],
        'restart.requested': {
          target: '#box.stopping.pressing',
          actions: ['intendStop', 'intendRestart'],
        },
        'stop.requested': stops,
        'vmm.exited': [
          { guard: 'goesAwayByItself', target: '#box.removing.deleting', actions: 'recordEnding' },
          { guard: 'endedByItself', target: '#box.stopped', actions: 'recordEnding' },
          ...over('#box.failed', 'noteGone'),
        ],
      },
    },
  },
})
