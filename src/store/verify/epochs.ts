import { type Ownership, ownershipOf } from '../journal.ts'
import { epochOfOwnerKey, owners } from '../keys.ts'
import type { Skimmed } from './skim.ts'
import type { Report, Still } from './still.ts'

type Writer = Pick<Ownership, 'bootId' | 'engine'>

/** Holds what records say of the ownership they were written in against the journal, and against each other. */
export interface Epochs {
  /** another stream follows, by itself: its records begin at some position again */
  begin(): void
  /** takes the next record, in the order of positions */
  follow(body: Skimmed, position: number): void
  /** epochs only grow, one by one, up to the present one */
  verifyJournal(): void
}

/** Reads the journal; `epoch` is the present one. */
export async function epochsOf(
  { db, at }: Still,
  { epoch: present, report }: { readonly epoch: number; readonly report: Report },
): Promise<Epochs> {
  const numbers: number[] = []
  const writers = new Map<number, Writer>()
  const damaged: string[] = []
  for await (const [key, sealed] of db.iterator({ ...owners, ...at })) {
    const number = epochOfOwnerKey(key)
    const ownership = ownershipOf(key, sealed)
    if (ownership === undefined) damaged.push(key)
    else writers.set(number, ownership)
    numbers.push(number)
  }
  let last = 0
  return {
    begin() {
      last = 0
    },
    follow({ box, meta }, position) {
      const problem = (message: string) => report({ kind: 'epoch', position, box, message })
      const { epoch, bootId, engine } = meta
      if (epoch < last || epoch > present)
        problem(`Epoch ${epoch} follows epoch ${last}; the present one is ${present}`)
      last = Math.max(last, epoch)
      const writer = writers.get(epoch)
      // Where the journal cannot tell, the first record says whose epoch it was.
      if (writer === undefined) writers.set(epoch, { bootId, engine })
      else if (writer.bootId !== bootId || writer.engine !== engine)
        problem(
          `Epoch ${epoch} was ${writer.engine} in boot ${writer.bootId}, not ${engine} in boot ${bootId}`,
        )
    },
    verifyJournal() {
      let before = 0
      for (const key of damaged) report({ kind: 'journal', message: `The entry ${key} is damaged` })
      for (const number of numbers) {
        if (number !== before + 1)
          report({ kind: 'journal', message: `Epoch ${number} follows epoch ${before}` })
        before = number
      }
      if (before !== present)
        report({
          kind: 'journal',
          message: `The journal ends with epoch ${before}, the present one is ${present}`,
        })
    },
  }
}
