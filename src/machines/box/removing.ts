import { box } from './setup.ts'

export const removing = box.createStateConfig({
  description: 'On its way out; cannot be called back',
  tags: 'busy',
  initial: 'deleting',
  states: {
    killing: {
      description: 'The VMM was sent SIGKILL, to be removed',
      invoke: { id: 'killVmmToRemove', src: 'killVmm' },
      after: { killLimit: { target: 'killing', reenter: true } },
    },
    deleting: {
      description: "The box's files are being deleted",
      invoke: { id: 'removeFiles', src: 'removeFiles' },
      on: {
        'box.removed': { target: '#box.removed' },
        'remove.failed': { target: 'resting' },
      },
    },
    resting: {
      description: 'The files could not be deleted; it is tried again',
      after: { removeRetry: { target: 'deleting' } },
    },
  },
})

export const removed = box.createStateConfig({
  description: 'Gone; its history stays',
  tags: 'gone',
})
