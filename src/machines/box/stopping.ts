import { box } from './setup.ts'

/** The rung that a stop begins with. */
export const stops = [
  { guard: 'asksKill', target: '#box.stopping.killing', actions: 'intendStop' },
  { guard: 'asksForce', target: '#box.stopping.cutting', actions: 'intendStop' },
  { target: '#box.stopping.pressing', actions: 'intendStop' },
] as const

/** A stop in a stop, while there are rungs to leave out. */
const strongerStops = [
  { guard: 'asksStrongerKill', target: 'killing', actions: 'intendStrongerStop' },
  { guard: 'asksStrongerForce', target: 'cutting', actions: 'intendStrongerStop' },
  { guard: 'beatsRestart', actions: 'forgetRestart' },
  { guard: 'isUnasked', actions: 'intendStop' },
] as const

export const stopping = box.createStateConfig({
  description: 'On its way down, a rung of the ladder after the other',
  tags: 'busy',
  initial: 'pressing',
  on: {
    'box.renamed': { actions: 'rename' },
    'guest.powered-off': { actions: 'recordPowerOff' },
    'stop.requested': [
      { guard: 'asksStrongerKill', target: '.killing', actions: 'intendStrongerStop' },
      { guard: 'beatsRestart', actions: 'forgetRestart' },
      { guard: 'isUnasked', actions: 'intendStop' },
    ],
    'remove.requested': { guard: 'isForced', target: 'removing.killing', actions: 'intendRemoval' },
  },
  states: {
    pressing: {
      description: "The guest's power button was pressed",
      invoke: { id: 'pressButton', src: 'pressButton' },
      after: { halfGrace: { target: 'pressingAgain' } },
      on: {
        'stop.rung': { guard: 'rungFailed', target: 'cutting' },
        'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
        'stop.requested': strongerStops,
      },
    },
    pressingAgain: {
      description: "The guest's power button was pressed again, half of the grace being over",
      invoke: { id: 'pressButtonAgain', src: 'pressButton' },
      after: { halfGrace: { target: 'cutting' } },
      on: {
        'stop.rung': { guard: 'rungFailed', target: 'cutting' },
        'guest.powered-off': { target: 'closing', actions: 'recordPowerOff' },
        'stop.requested': strongerStops,
      },
    },
    cutting: {
      description: 'The power of the VM is cut',
      invoke: { id: 'cutPower', src: 'cutPower' },
      after: { cutLimit: { target: 'closing' } },
      on: { 'stop.rung': { target: 'closing' } },
    },
    closing: {
      description: 'The VMM is asked to end',
      invoke: { id: 'closeVmm', src: 'closeVmm' },
      after: { closeLimit: { target: 'terminating' } },
      on: { 'stop.rung': { guard: 'rungFailed', target: 'terminating' } },
    },
    terminating: {
      description: 'The VMM was sent SIGTERM',
      invoke: { id: 'terminateVmm', src: 'terminateVmm' },
      after: { terminateLimit: { target: 'killing' } },
      on: { 'stop.rung': { guard: 'rungFailed', target: 'killing' } },
    },
    killing: {
      description: 'The VMM was sent SIGKILL',
      invoke: { id: 'killVmm', src: 'killVmm' },
      after: { killLimit: { target: '#box.unknown', actions: 'recordUnknown' } },
    },
  },
})
