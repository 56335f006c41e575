import { contextOf } from './box/context.ts'
import { configured, crashed, failed, stopped } from './box/down.ts'
import { removed, removing } from './box/removing.ts'
import { box } from './box/setup.ts'
import { starting } from './box/starting.ts'
import { stopping } from './box/stopping.ts'
import { unknown } from './box/unknown.ts'
import { paused, running } from './box/up.ts'

/** Where an incarnation's end leads. */
const ends = [
  { guard: 'isOver' },
  {
    guard: 'restartWanted',
    target: '.starting',
    actions: ['recordEnding', 'openIncarnation', 'forgetAttempts'],
  },
  { guard: 'goesAway', target: '.removing.deleting', actions: 'recordEnding' },
  { guard: 'endsStopped', target: '.stopped', actions: 'recordEnding' },
  { guard: 'endsFailed', target: '.failed', actions: 'recordEnding' },
  { target: '.crashed', actions: 'recordEnding' },
] as const

/** The life of a box, whole: legality lives here and nowhere else. */
export const boxMachine = box.createMachine({
  id: 'box',
  context: contextOf,
  initial: 'configured',
  on: {
    'vmm.spawned': { actions: 'recordProcess' },
    'vmm.adopted': { actions: 'recordProcess' },
    'guest.panicked': { actions: 'recordPanic' },
    'guest.rebooted': { actions: 'recordReboot' },
    'command.exited': { actions: 'recordCommandExit' },
    'vmm.exited': ends,
    'host.rebooted': ends,
    'box.unknown': [{ guard: 'isOver' }, { target: '.unknown', actions: 'recordUnknown' }],
    'incarnation.found': [
      { guard: 'mayLive', target: '.unknown', actions: 'openFound' },
      { actions: 'countIncarnation' },
    ],
  },
  states: {
    configured,
    starting,
    running,
    paused,
    stopping,
    stopped,
    crashed,
    failed,
    removing,
    removed,
    unknown,
  },
})
