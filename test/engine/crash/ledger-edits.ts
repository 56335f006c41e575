import { type BoxEvent, isRefusal, type ProcessIdentity, step } from 'boxledger/machines'
import { type Ledger, openLedger } from 'boxledger/store'

const bootId = '00000000-0000-0000-0000-000000000001'

/** Writes into the ledger of a home that nobody has open, as an owner of another boot. */
export async function editLedger(home: string, edit: (ledger: Ledger) => Promise<void>): Promise<void> {
  const ledger = await openLedger({ home, bootId, engine: 'test', now: () => Date.now() })
  await edit(ledger)
  await ledger.close()
}

export async function append(ledger: Ledger, box: string, event: BoxEvent): Promise<void> {
  const head = ledger.head(box)
  if (head === undefined) throw new Error(`There is no box ${box}`)
  const at = Date.now()
  const transition = step(head.state, event, { at, version: head.version + 1 })
  if (isRefusal(transition)) throw new Error(`${event.type} is refused in ${transition.state}`)
  await ledger.append({ box, expectedVersion: head.version, transition, at, meta: {} })
}

/** Makes the ledger say something else of a box's process. */
export function otherProcess(home: string, box: string, change: Partial<ProcessIdentity>): Promise<void> {
  return editLedger(home, async ledger => {
    const { process, incarnation } = ledger.head(box)?.state.context ?? {}
    if (!process || incarnation === undefined) throw new Error(`Box ${box} has no process`)
    await append(ledger, box, { type: 'vmm.spawned', process: { ...process, ...change }, incarnation })
  })
}

/** Makes a box's process one of another boot. */
export function otherBoot(home: string, box: string): Promise<void> {
  return otherProcess(home, box, { bootId })
}
