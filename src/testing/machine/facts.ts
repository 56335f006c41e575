import { newBox } from '../../api/new-box.ts'
import type { BoxOptions } from '../../api/options.ts'
import type { BoxCommand, BoxFact } from '../../machines/index.ts'

type WithoutPlace<T> = T extends unknown ? Omit<T, 'incarnation'> & { readonly incarnation?: number } : never

/** A command, a fact (of the present incarnation, unless it says otherwise), or `ms` that pass. */
export type Given = BoxCommand | WithoutPlace<BoxFact> | { readonly wait: number }

/** `box.created` with a spec as `BoxRuntime.create` makes it: what is left out has its default. */
export function created(options: BoxOptions = {}): BoxCommand {
  const { name = null, labels, spec } = newBox(options)
  return { type: 'box.created', id: 'abcdefghijkl', name, labels, spec }
}

/** All that leads to a box that runs, its guest ready. */
export function running(options: BoxOptions = {}): readonly Given[] {
  return [created(options), { type: 'start.requested' }, ...startFacts]
}

/** What is told of a start that goes well, after `start.requested`. */
export const startFacts: readonly Given[] = [
  { type: 'start.stage', stage: 'preparing' },
  { type: 'start.stage', stage: 'spawning' },
  {
    type: 'vmm.spawned',
    process: { pid: 4_711, startTime: '1', bootId: 'given', pidNamespace: 'given' },
  },
  { type: 'vmm.ready', version: 'v53.0' },
  { type: 'vm.created' },
  { type: 'vm.booted' },
  { type: 'guest.ready' },
]

/** Evidence of a VMM that ended against everybody's wish. */
export const crash: Given = { type: 'vmm.exited', spawned: true, last: 'none', noShutdown: true }
