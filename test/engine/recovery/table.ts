import { boxMachine, type PublicState } from 'boxledger/machines'

/** What the host is like when the home is opened again; each with what it means for a box that had a VMM. */
export const worlds = {
  alive: 'the process lives and is the one recorded',
  dead: 'the process has ended',
  'pid reused': 'it has ended, and another process has its pid',
  silent: 'it lives and does not answer',
  'no proof': 'the lock that proves its life cannot be read',
  'other pid namespace': 'it lives, and its pid means nothing here',
  'directory gone': 'it has ended, and its run directory is missing',
  'directory lost': 'it lives, and its run directory is missing',
  'VM gone': 'it lives, and somebody has deleted its VM',
  paused: 'it lives, and somebody has paused its VM',
  off: 'it lives, and its guest has powered off',
} as const

export type World = keyof typeof worlds
export type Boot = 'same boot' | 'other boot'

/** Where a box ends: its state, and the cause of its ending where it has one; or why there is no such box. */
export type Expectation =
  | { readonly ends: string; readonly vmm: 'lives' | 'gone' }
  | { readonly never: string }

const ends = (ends: string, vmm: 'lives' | 'gone' = 'gone'): Expectation => ({ ends, vmm })
const lives = (state: string) => ends(state, 'lives')

/** Nothing may be done to what cannot be looked at. */
const cannotLook = {
  silent: lives('unknown'),
  'no proof': lives('unknown'),
  'directory lost': lives('unknown'),
}

/** A box whose VM was up goes on as its VM is now; all else of its VMM is its end. */
const wasUp = (state: string, dead: string) => ({
  ...cannotLook,
  alive: lives(state),
  dead: ends(dead),
  'pid reused': ends(dead),
  'other pid namespace': lives(state),
  'directory gone': ends(dead),
  'VM gone': ends('stopped guest-poweroff'),
  paused: lives('paused'),
  off: ends('stopped guest-poweroff'),
})

/** What was asked for is carried on with, whatever has become of the VM. */
const onItsWay = (end: string) => ({
  ...cannotLook,
  alive: ends(end),
  dead: ends(end),
  'pid reused': ends(end),
  'other pid namespace': ends(end),
  'directory gone': ends(end),
  'VM gone': ends(end),
  paused: ends(end),
  off: ends(end),
})

/** No VMM may be there: none was ever made, or its end was proven before it was recorded. */
const hasNone = (state: string, why: string) => ({
  ...(Object.fromEntries(Object.keys(worlds).map(world => [world, { never: why }])) as Record<
    World,
    Expectation
  >),
  dead: ends(state),
  'directory gone': ends(state),
})

const over = 'the end of its VMM was proven before it was recorded, and its pid forgotten'

const sameBoot: Readonly<Record<PublicState, Readonly<Record<World, Expectation>>>> = {
  configured: hasNone('configured', 'no VMM was ever asked for'),
  starting: wasUp('starting', 'failed boot-failed'),
  running: wasUp('running', 'crashed crash'),
  paused: wasUp('paused', 'crashed crash'),
  stopping: onItsWay('stopped requested'),
  stopped: hasNone('stopped requested', over),
  crashed: hasNone('crashed crash', over),
  failed: hasNone('failed boot-failed', over),
  removing: onItsWay('removed'),
  removed: hasNone('removed', over),
  unknown: wasUp('running', 'crashed crash'),
}

/** A process that lives, though it was recorded in another boot: the two contradict one another, and nothing is known. */
const contradiction = lives('unknown')

/** After a boot of the host no process of before can live. */
const rebooted = (end: string) => ({
  alive: contradiction,
  dead: ends(end),
  'pid reused': ends(end),
  silent: contradiction,
  'no proof': contradiction,
  'other pid namespace': contradiction,
  'directory gone': ends(end),
  'directory lost': contradiction,
  'VM gone': contradiction,
  paused: contradiction,
  off: contradiction,
})

const otherBoot: Readonly<Record<PublicState, Readonly<Record<World, Expectation>>>> = {
  ...sameBoot,
  starting: rebooted('stopped host-reboot'),
  running: rebooted('stopped host-reboot'),
  paused: rebooted('stopped host-reboot'),
  stopping: rebooted('stopped requested'),
  removing: rebooted('removed'),
  unknown: rebooted('stopped host-reboot'),
}

const expectations: Readonly<Record<Boot, Readonly<Record<string, Readonly<Record<World, Expectation>>>>>> = {
  'same boot': sameBoot,
  'other boot': otherBoot,
}

export interface Row {
  readonly state: PublicState
  readonly world: World
  readonly boot: Boot
  readonly expected: Expectation | undefined
}

/** A row for each public state that the machine has, whether something is expected of it or not. */
export function rows(): Row[] {
  const states = Object.keys(boxMachine.states) as PublicState[]
  return states.flatMap(state =>
    (Object.keys(worlds) as World[]).flatMap(world =>
      (['same boot', 'other boot'] as const).map(boot => ({
        state,
        world,
        boot,
        expected: expectations[boot][state]?.[world],
      })),
    ),
  )
}
