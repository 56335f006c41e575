import { type BoxEvent, isRefusal, step } from 'boxledger/machines'
import type { ImportReport, Ledger } from 'boxledger/store'
import type { Random } from '../support/seed.ts'
import { create, open, submit } from './boxes.ts'
import { run } from './execution-records.ts'

/** What the tests of export and import share. */

export async function linesOf(ledger: Ledger, options: { readonly box?: string } = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const page of ledger.export(options)) lines.push(...page)
  return lines
}

export async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

/** Imports into a new home; gives its ledger, open. A failed one is closed. */
export async function importInto(
  home: string,
  lines: Iterable<string>,
): Promise<{ ledger: Ledger; report: ImportReport }> {
  const ledger = await open(home)
  try {
    return { ledger, report: await ledger.import(each(lines)) }
  } catch (error) {
    await ledger.close()
    throw error
  }
}

const identity = { pid: 4_711, startTime: '99', bootId: 'boot-a', pidNamespace: '1' }

/** Events that an engine could tell next of a box, those that are refused left out. */
function possible(ledger: Ledger, box: string, n: number): BoxEvent[] {
  const state = ledger.head(box)?.state
  if (state === undefined) return []
  const { incarnation } = state.context
  const events: BoxEvent[] = [
    { type: 'start.requested' },
    { type: 'start.stage', stage: 'preparing', incarnation },
    { type: 'start.stage', stage: 'spawning', incarnation },
    { type: 'vmm.spawned', process: identity, incarnation },
    { type: 'vmm.ready', version: 'v50.0.0', incarnation },
    { type: 'vm.created', incarnation },
    { type: 'vm.booted', incarnation, offset: 10 * n },
    { type: 'guest.ready', incarnation },
    { type: 'pause.requested' },
    { type: 'vm.paused', incarnation },
    { type: 'resume.requested' },
    { type: 'vm.resumed', incarnation },
    { type: 'box.renamed', name: `name-${n % 7}-${box}` },
    { type: 'box.renamed', name: null },
    { type: 'stop.requested', mode: 'kill', reason: 'Grüße 😀 \u2028 "quoted" \\ and a tab\t' },
    { type: 'vmm.exited', spawned: true, exitCode: 0, last: 'orderly', noShutdown: true, incarnation },
    { type: 'remove.requested', force: true },
    { type: 'box.removed', incarnation },
  ]
  return events.filter(event => {
    const outcome = step(state, event, { at: 1, version: 1 })
    return !isRefusal(outcome) && (outcome.from !== outcome.to || event.type === 'box.renamed')
  })
}

/** A history of several boxes with executions, in between each other. Gives the boxes that there were. */
export async function randomHistory(ledger: Ledger, random: Random, steps: number): Promise<string[]> {
  const boxes: string[] = []
  for (let n = 0; n < steps; n += 1) {
    const at = 1_700_000_000_000 + n * 37
    const alive = boxes.filter(box => ledger.head(box) !== undefined)
    const commandId = random.below(2) === 0 ? { commandId: `command-${n}` } : {}
    if (alive.length === 0 || (boxes.length < 5 && random.below(6) === 0)) {
      const id = `box${String(boxes.length).padStart(9, '0')}`
      boxes.push(id)
      await create(ledger, id, random.below(2) === 0 ? `born-${n}` : null, { at, ...commandId })
      continue
    }
    const box = random.pick(alive)
    if (random.below(8) === 0) await run(ledger, box, `run${String(n).padStart(9, '0')}`)
    const events = possible(ledger, box, n)
    if (events.length > 0) await submit(ledger, box, random.pick(events), { at, ...commandId })
  }
  return boxes
}
