import { type BoxInfo, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { instantVmm } from '../../support/vmms.ts'
import { vmmsOf } from './vmms.ts'

export interface Durable {
  readonly durable: string
  readonly version: number
}

/** Waits until nothing of the box is under way any more. */
async function settle(runtime: BoxRuntime, id: string): Promise<BoxInfo> {
  const box = await runtime.get(id)
  if (box === undefined) throw new Error(`Box ${id} is gone`)
  return box.waitFor(info => !info.recovering && !['starting', 'stopping', 'removing'].includes(info.state), {
    timeoutMs: 30_000,
  })
}

const open = (home: string) => BoxRuntime.open({ home, vmm: { binary: instantVmm } })

/** Opens the home of an engine that was killed and holds what came of it against what must hold. */
export async function recoverAndCheck(home: string, acknowledged: readonly Durable[], what: string) {
  const first = await open(home)
  const settled: BoxInfo[] = []
  for (const { id } of await first.listInfo()) settled.push(await settle(first, id))
  for (const { durable, version } of acknowledged) {
    let last = 0
    for await (const record of first.history(durable)) last = record.version
    assert.ok(last >= version, `${what}: version ${version} of ${durable} was answered, and is there`)
  }
  agree(home, settled, what)
  await first.close()

  const second = await open(home)
  const again: BoxInfo[] = []
  for (const { id } of await second.listInfo()) again.push(await settle(second, id))
  assert.equal(again, settled, `${what}: a second recovery changes nothing`)
  const report = await second.verify({ replay: true })
  assert.equal(report.problems, [], `${what}: the ledger is sound`)
  agree(home, again, what)
  for (const { id } of again) await second.remove(id, { force: true })
  await second.close()
  assert.equal(vmmsOf(home), [], `${what}: no VMM is left`)
  return { settled, records: report.records }
}

/** The kernel's word against the engine's: one VMM for a box that is up, none for any other. */
function agree(home: string, boxes: readonly BoxInfo[], what: string): void {
  const alive = vmmsOf(home).map(({ pid, box, incarnation }) => ({ pid, box, incarnation }))
  const said = boxes
    .filter(({ state }) => state === 'running' || state === 'paused')
    .map(({ id, pid, incarnation }) => ({ pid, box: id, incarnation }))
  const order = (a: { box: string }, b: { box: string }) => a.box.localeCompare(b.box)
  assert.equal(alive.sort(order), said.sort(order), `${what}: VMMs that live are those the engine knows`)
}
