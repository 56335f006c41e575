import { type BoxFact, type BoxState, type Head, pathOf, snapshotsOf, step } from '../machines/index.ts'
import type { PreviousOwner } from '../store/index.ts'

const beforeSpawn = new Set(['starting.queued', 'starting.preparing', 'starting.spawning'])

/** Nothing is under way, nothing is awaited: most boxes of a home, so opening it passes over them at once. */
export function isAtRest({ context, effects, timers }: BoxState): boolean {
  const isLeaving = snapshotsOf(context).kept.some(({ leaving }) => leaving)
  return !isLeaving && !context.open && Object.keys(effects).length === 0 && Object.keys(timers).length === 0
}

/**
 * Whether the host must be asked what became of a box before anything else happens to it. A spawn that was cut off is
 * not among them: its effect looks for itself before it is done again.
 */
export function mayHaveVmm(state: BoxState): boolean {
  return state.context.open && !beforeSpawn.has(pathOf(state.value))
}

/** Whether what a look has found is something that changed; any other fact is news. A second recovery finds nothing new. */
export function isNews(head: Head, fact: BoxFact, previous: PreviousOwner | undefined): boolean {
  if (fact.type === 'vmm.adopted') return adoptionIsNews(head, fact, previous)
  if (fact.type === 'health.changed') {
    const { open, incarnation, seen } = head.state.context
    return open && fact.incarnation === incarnation && fact.health !== seen.health
  }
  if (fact.type === 'box.unknown') return fact.reason !== head.state.context.unknownReason
  return true
}

/**
 * Whether a VMM found alive is something that changed: it moves the box, its process was not known, or it has outlived
 * an owner that ended without closing. The last is said once.
 */
function adoptionIsNews(
  head: Head,
  fact: BoxFact & { readonly type: 'vmm.adopted' },
  previous: PreviousOwner | undefined,
): boolean {
  const outcome = step(head.state, fact, { at: head.updatedAt, version: head.version + 1 })
  if ('refused' in outcome) return false
  if (outcome.from !== outcome.to) return true
  const known = head.state.context.process
  if (known?.pid !== fact.process.pid || known.startTime !== fact.process.startTime) return true
  return previous !== undefined && !previous.closed && head.lastEvent !== 'vmm.adopted'
}

const answers: ReadonlySet<BoxFact['type']> = new Set<BoxFact['type']>([
  'vmm.adopted',
  'vmm.exited',
  'host.rebooted',
  'box.unknown',
])

/** Whether a fact says what became of a box that the host was asked about. */
export function answersLook(fact: BoxFact): boolean {
  return answers.has(fact.type)
}
