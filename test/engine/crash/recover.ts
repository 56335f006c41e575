import { type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import {
  assertAgreement,
  assertAlone,
  assertAnswers,
  assertDisks,
  assertExecutions,
  assertFoldedOnce,
  assertIntended,
  assertNothingLeft,
  assertPausesWanted,
  assertSnapshots,
  assertUntouched,
  type SavedIn,
} from './invariants.ts'
import type { Outcome } from './run-child.ts'
import { type Binary, type Scenario, settled } from './scenario.ts'
import { vmmsOf } from './vmms.ts'
import { lookAround, type World } from './world.ts'

export interface Recovered {
  readonly boxes: readonly BoxInfo[]
  readonly records: readonly LedgerRecord[]
  /** what the engine that was killed has left */
  readonly before: World
}

const isUp = ({ state }: BoxInfo) => ['starting', 'running', 'stopping', 'removing'].includes(state)

/** All boxes, when nothing of any is under way any more. */
async function settledBoxes(runtime: BoxRuntime, endsItself: boolean): Promise<BoxInfo[]> {
  for (const { id, inert, labels } of await runtime.listInfo()) {
    if (inert) await runtime.adopt()
    const box = await runtime.get(id)
    if (box === undefined) continue
    await settled(box)
    // It is there for as long as whoever makes the template.
    if ('boxledger.template' in labels) await eventually(async () => !(await runtime.exists(id)))
    if (endsItself) await box.waitFor(info => !isUp(info), { timeoutMs: 30_000 })
  }
  await eventually(async () => {
    let underway = 0
    const living = new Set((await runtime.listInfo()).map(({ id }) => id))
    for await (const { box, event } of runtime.events({ types: [...begins, ...ends] }))
      if (living.has(box)) underway += begins.includes(event.type) ? 1 : -1
    return underway === 0 && (await areClonesServed(runtime))
  })
  return runtime.listInfo()
}

const begins = ['exec.started', 'snapshot.removal.requested']
const ends = ['exec.ended', 'exec.lost', 'snapshot.removed', 'snapshot.removal.failed']

/** What was saved for a clone goes once that has begun; one that was never started may still need it. */
async function areClonesServed(runtime: BoxRuntime): Promise<boolean> {
  const boxes = await runtime.listInfo()
  if (boxes.some(({ state }) => state === 'configured')) return true
  return (await saved(runtime, boxes)).every(({ names }) => names.every(name => !name.startsWith('clone-')))
}

/** Of boxes that can be asked. */
async function saved(runtime: BoxRuntime, boxes: readonly BoxInfo[]): Promise<SavedIn[]> {
  const known = boxes.filter(({ parked }) => parked === undefined)
  return Promise.all(
    known.map(async ({ id }) => {
      const all = await (await runtime.get(id))?.snapshots.list()
      return { box: id, names: (all ?? []).map(({ name }) => name) }
    }),
  )
}

export interface Check {
  readonly binary: Binary
  /** the scenario that the engine had under way */
  readonly scenario: Scenario
  /** for messages */
  readonly what: string
  readonly look?: (runtime: BoxRuntime, home: string) => Promise<void>
}

/**
 * Opens the home of an engine that was killed and holds what comes of it against what must hold, twice; then removes
 * all boxes, which must leave nothing.
 */
export async function recoverAndCheck(home: string, outcome: Outcome, check: Check): Promise<Recovered> {
  try {
    const recovered = await recoverOnce(home, outcome, check)
    await recoverAgain(home, recovered, check)
    return recovered
  } catch (error) {
    for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
    throw error
  }
}

async function recoverOnce(
  home: string,
  outcome: Outcome,
  { binary, scenario, what, look }: Check,
): Promise<Recovered> {
  const before = await lookAround(home)
  assertAlone(before.vmms, what)
  const reopened = Date.now()
  const crowded: string[] = []
  await using runtime = await BoxRuntime.open({
    home,
    vmm: { binary },
    seams: {
      boundary: point => {
        if (point !== 'after spawn') return
        const boxes = vmmsOf(home).map(({ box }) => box)
        crowded.push(...boxes.filter((box, n) => boxes.indexOf(box) < n))
      },
    },
  })
  const boxes = await settledBoxes(runtime, scenario.endsItself ?? false)
  const records: LedgerRecord[] = []
  for await (const record of runtime.events()) records.push(record)
  const after = await lookAround(home)
  const dead = records.filter(({ at }) => Date.parse(at) < reopened)
  assert.equal(crowded, [], `${what}: no VMM is made beside another`)
  assertAlone(after.vmms, what)
  assertIntended(dead, before, outcome, what)
  assertAgreement(boxes, after, what)
  assertUntouched(boxes, before, after, what)
  assertAnswers(dead, boxes, outcome, what)
  assertPausesWanted(records, boxes, scenario.pausesFromOutside ?? false, what)
  assertFoldedOnce(home, records, boxes, what)
  assertExecutions(home, records, what)
  assertNothingLeft(home, boxes, what)
  assertSnapshots(home, await saved(runtime, boxes), what)
  assertDisks(home, boxes, what)
  await look?.(runtime, home)
  return { boxes, records, before }
}

async function recoverAgain(home: string, { boxes, records }: Recovered, { binary, scenario, what }: Check) {
  await using runtime = await BoxRuntime.open({ home, vmm: { binary }, durability: 'process' })
  const again = await settledBoxes(runtime, scenario.endsItself ?? false)
  assert.equal(again.map(lasting), boxes.map(lasting), `${what}: a second recovery changes nothing`)
  const report = await runtime.verify({ replay: true })
  assert.equal(report.problems, [], `${what}: the ledger is sound, and its heads are its fold`)
  assert.is(report.records, records.length, `${what}: a second recovery records nothing`)
  assertAgreement(again, await lookAround(home), what)
  await removeAll(runtime, home, what)
  assertNothingLeft(home, [], what)
}

const vmmsIn = (home: string, id: string) => vmmsOf(home).filter(({ box }) => box === id)

/** What is known of a box beside how quick its VMM is just now. */
const lasting = ({ responding: _, ...info }: BoxInfo) => info

async function removeAll(runtime: BoxRuntime, home: string, what: string): Promise<void> {
  for (const { id, state } of await runtime.listInfo()) {
    if (state === 'unknown') {
      for (const { pid } of vmmsIn(home, id)) process.kill(pid, 'SIGKILL')
      await eventually(() => vmmsIn(home, id).length === 0)
      await runtime.resolve(id, 'dead')
    }
    await runtime.remove(id, { force: true })
  }
  assert.equal(vmmsOf(home), [], `${what}: no VMM is left`)
}
