import { type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import {
  assertAgreement,
  assertAlone,
  assertAnswers,
  assertFoldedOnce,
  assertIntended,
  assertNothingLeft,
  assertPausesWanted,
  assertUntouched,
} from './invariants.ts'
import type { Outcome } from './run-child.ts'
import { type Binary, settled } from './scenario.ts'
import { vmmsOf } from './vmms.ts'
import { lookAround } from './world.ts'

export interface Recovered {
  readonly boxes: readonly BoxInfo[]
  readonly records: readonly LedgerRecord[]
}

async function recordsOf(runtime: BoxRuntime): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = []
  for await (const record of runtime.events()) records.push(record)
  return records
}

/** All boxes, when nothing of any is under way any more. */
async function settledBoxes(runtime: BoxRuntime): Promise<BoxInfo[]> {
  for (const { id, inert } of await runtime.listInfo()) {
    if (inert) await runtime.adopt()
    const box = await runtime.get(id)
    if (box !== undefined) await settled(box)
  }
  return runtime.listInfo()
}

/**
 * Opens the home of an engine that was killed and holds what comes of it against what must hold, twice; then removes
 * all boxes, which must leave nothing.
 */
export async function recoverAndCheck(
  home: string,
  outcome: Outcome,
  { binary, what, isPausedOutside = false }: { binary: Binary; what: string; isPausedOutside?: boolean },
): Promise<Recovered> {
  const before = await lookAround(home)
  assertAlone(before.vmms, what)
  const reopened = Date.now()
  const crowded: string[] = []
  const first = await BoxRuntime.open({
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
  const boxes = await settledBoxes(first)
  const records = await recordsOf(first)
  const after = await lookAround(home)
  const dead = records.filter(({ at }) => Date.parse(at) < reopened)
  assert.equal(crowded, [], `${what}: no VMM is made beside another`)
  assertAlone(after.vmms, what)
  assertIntended(dead, before, outcome, what)
  assertAgreement(boxes, after, what)
  assertUntouched(boxes, before, after, what)
  assertAnswers(dead, boxes, outcome, what)
  assertPausesWanted(records, boxes, isPausedOutside, what)
  assertFoldedOnce(home, records, boxes, what)
  assertNothingLeft(home, boxes, what)
  await first.close()

  const second = await BoxRuntime.open({ home, vmm: { binary }, durability: 'process' })
  const again = await settledBoxes(second)
  assert.equal(again, boxes, `${what}: a second recovery changes nothing`)
  const report = await second.verify({ replay: true })
  assert.equal(report.problems, [], `${what}: the ledger is sound, and its heads are its fold`)
  assert.is(report.records, records.length, `${what}: a second recovery records nothing`)
  assertAgreement(again, await lookAround(home), what)
  await removeAll(second, home)
  assertNothingLeft(home, [], what)
  await second.close()
  return { boxes, records }
}

async function removeAll(runtime: BoxRuntime, home: string): Promise<void> {
  for (const { id, state } of await runtime.listInfo()) {
    if (state === 'unknown') {
      for (const { pid, box } of vmmsOf(home)) if (box === id) process.kill(pid, 'SIGKILL')
      await runtime.resolve(id, 'dead')
    }
    await runtime.remove(id, { force: true })
  }
  assert.equal(vmmsOf(home), [], 'no VMM is left')
}
