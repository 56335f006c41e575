import { box } from './setup.ts'

export const unknown = box.createStateConfig({
  description: 'Cannot be looked at: nothing is spawned, killed or deleted',
  tags: 'busy',
  invoke: { id: 'lookAtVmm', src: 'lookAtVmm' },
  on: {
    'box.renamed': { actions: 'rename' },
    'guest.powered-off': { actions: 'recordPowerOff' },
    'vmm.adopted': [
      { guard: 'isRemoving', target: 'removing.killing', actions: ['recordProcess', 'recordKnown'] },
      { guard: 'isStopping', target: 'stopping.closing', actions: ['recordProcess', 'recordKnown'] },
      { guard: 'vmRuns', target: 'running', actions: ['recordProcess', 'recordKnown'] },
      { guard: 'vmPaused', target: 'paused', actions: ['recordProcess', 'recordKnown'] },
      {
        guard: 'neverRan',
        target: 'stopping.killing',
        actions: ['recordProcess', 'recordKnown', 'noteLostStart'],
      },
      { target: 'stopping.closing', actions: ['recordProcess', 'recordKnown', 'recordPowerOff'] },
    ],
    'box.resolved': [
      {
        guard: 'restartWanted',
        target: 'starting',
        actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
      },
      { guard: 'goesAway', target: 'removing.deleting', actions: 'recordEnding' },
      { guard: 'stopWanted', target: 'stopped', actions: 'recordEnding' },
      { target: 'crashed', actions: 'recordEnding' },
    ],
  },
})
