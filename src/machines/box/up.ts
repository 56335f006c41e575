import { box } from './setup.ts'
import { stops } from './stopping.ts'

export const running = box.createStateConfig({
  description: 'The VM runs',
  tags: 'up',
  initial: 'steady',
  on: {
    'box.renamed': { actions: 'rename' },
    'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
    'guest.rebooted': [
      { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
      { actions: 'recordReboot' },
    ],
    'guest.ready': { actions: 'recordGuestReady' },
    'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
    'vm.paused': { target: 'paused' },
    'vmm.adopted': [
      { guard: 'vmPaused', target: 'paused', actions: 'recordProcess' },
      { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
      { actions: 'recordProcess' },
    ],
    'stop.requested': stops,
    'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
    'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
  },
  states: {
    steady: {
      description: 'Nothing is under way',
      on: { 'pause.requested': { target: 'pausing' } },
    },
    pausing: {
      description: 'A pause is under way',
      invoke: { id: 'pauseVm', src: 'pauseVm' },
      after: { pauseLimit: { target: 'steady' } },
      on: { 'pause.failed': { target: 'steady' } },
    },
  },
})

export const paused = box.createStateConfig({
  description: "The VM's processors stand still",
  tags: 'up',
  initial: 'held',
  on: {
    'box.renamed': { actions: 'rename' },
    'guest.panicked': { target: 'stopping.cutting', actions: ['recordPanic', 'cutOffPanic'] },
    'guest.rebooted': [
      { guard: 'loops', target: 'stopping.cutting', actions: ['recordReboot', 'cutOffLoop'] },
      { actions: 'recordReboot' },
    ],
    'guest.powered-off': { target: 'stopping.closing', actions: 'recordPowerOff' },
    'vm.resumed': { target: 'running' },
    'vmm.adopted': [
      { guard: 'vmRuns', target: 'running', actions: 'recordProcess' },
      { guard: 'vmAbsent', target: 'stopping.closing', actions: ['recordProcess', 'recordPowerOff'] },
      { actions: 'recordProcess' },
    ],
    'stop.requested': stops,
    'restart.requested': { target: 'stopping.pressing', actions: ['intendStop', 'intendRestart'] },
    'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
  },
  states: {
    held: {
      description: 'Nothing is under way',
      on: { 'resume.requested': { target: 'resuming' } },
    },
    resuming: {
      description: 'A resume is under way',
      invoke: { id: 'resumeVm', src: 'resumeVm' },
      after: { pauseLimit: { target: 'held' } },
      on: { 'resume.failed': { target: 'held' } },
    },
  },
})
