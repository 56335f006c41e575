import type { Command, Step } from './steps.ts'

const create = (more: Partial<Command & { do: 'create' }> = {}): Step => ({
  ...({ do: 'create', box: 0, name: null, policy: 'no', retries: null } as const),
  ...{ autoRemove: false, detach: true },
  ...more,
})
const start: Step = { do: 'start', box: 0 }

/** Sequences that once failed, in the product or in what was expected of it, as they were shrunk. They are run first. */
export const regressions: readonly { readonly found: string; readonly steps: readonly Step[] }[] = [
  {
    found: 'a box powers off by itself while its owner is killed, with which it ends',
    steps: [
      create({ detach: false }),
      start,
      { do: 'interrupted', step: { do: 'fate', box: 0, does: 'exit' }, boundary: 1 },
    ],
  },
  {
    found: 'a start that cannot succeed is cut off by the end of the owner, with which the box ends',
    steps: [
      create({ detach: false }),
      { do: 'interrupted', step: { do: 'start', box: 0, fails: 'prepare' }, boundary: 2 },
    ],
  },
  {
    found: 'the end of the owner beats the restart that was asked for',
    steps: [
      create({ detach: false }),
      start,
      { do: 'repeated', step: { do: 'restart', box: 0 }, boundary: 2 },
    ],
  },
  {
    found: 'a guest reboots over and over again while nobody looks',
    steps: [
      create(),
      start,
      { do: 'crash', meanwhile: [{ do: 'fate', box: 0, does: 'reboot-loop' }] },
      { do: 'stop', box: 0, mode: 'graceful' },
    ],
  },
  {
    found: 'restarts that fail again and again come one at a time',
    steps: [
      create({ policy: 'unless-stopped' }),
      start,
      { do: 'fate', box: 0, does: 'power-off' },
      { do: 'wait', fails: 'prepare' },
      { do: 'wait', fails: 'prepare' },
    ],
  },
  {
    found: 'a run that was long enough begins a new row of restarts',
    steps: [
      create({ policy: 'always', retries: 1 }),
      start,
      { do: 'fate', box: 0, does: 'power-off' },
      { do: 'wait' },
      { do: 'wait' },
      { do: 'fate', box: 0, does: 'power-off' },
    ],
  },
]
