import { box } from './setup.ts'

export const configured = box.createStateConfig({
  description: 'Recorded; no VMM was ever made',
  tags: 'down',
  on: {
    'box.renamed': { actions: 'rename' },
    'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
    'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
    'remove.requested': { target: 'removing.deleting', actions: 'intendRemoval' },
  },
})

/** A stop beats the restart that is due. */
const givesUpRestart = [
  { guard: 'removesItself', target: '#box.removing.deleting', actions: 'giveUpRestart' },
  { target: 'resting', actions: 'giveUpRestart' },
] as const

const down = (description: string) =>
  box.createStateConfig({
    description,
    initial: 'resting',
    on: {
      'box.renamed': { actions: 'rename' },
      'start.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
      'restart.requested': { target: 'starting', actions: ['openIncarnation', 'forgetAttempts'] },
      'remove.requested': { guard: 'isForced', target: 'removing.deleting', actions: 'intendRemoval' },
    },
    states: {
      resting: {
        description: 'Stays so until somebody starts it',
        tags: 'down',
        always: { guard: 'restartIsDue', target: 'scheduling' },
        on: { 'remove.requested': { target: '#box.removing.deleting', actions: 'intendRemoval' } },
      },
      scheduling: {
        description: 'The restart policy starts it again: the wait before is being drawn',
        tags: 'busy',
        invoke: { id: 'scheduleRestart', src: 'scheduleRestart' },
        on: {
          'restart.scheduled': { target: 'waiting', actions: 'recordDelay' },
          'stop.requested': givesUpRestart,
        },
      },
      waiting: {
        description: 'The restart policy starts it again when the wait is over',
        tags: 'busy',
        after: { restartDelay: { target: '#box.starting', actions: ['openIncarnation', 'countRestart'] } },
        on: {
          'stop.requested': givesUpRestart,
        },
      },
    },
  })

export const stopped = down('Down in an orderly way')
export const crashed = down("Down against everybody's wish")
export const failed = down('Did not come up')
