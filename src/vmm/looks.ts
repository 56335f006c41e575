import type { ProcessIdentity } from '../machines/index.ts'
import { ApiError } from './cloud-hypervisor/api-error.ts'
import { Client, type Counters } from './cloud-hypervisor/client.ts'
import { runFiles } from './files/paths.ts'
import { readPidNamespace } from './host/identity.ts'
import { type ProcessUsage, usageOf } from './host/usage.ts'

/** A VMM, as the ledger knows it. */
export interface VmmPlace {
  /** directory of the home, absolute */
  readonly home: string
  readonly box: string
  readonly incarnation: number
  readonly process: ProcessIdentity
}

/** What is counted of a VMM; what nobody can tell is absent. */
export interface VmmReading {
  readonly usage?: ProcessUsage
  /** memory of the guest, as the VMM tells it, in `bytes` */
  readonly guestBytes?: number
  readonly counters?: Counters
}

/** Looks at VMMs beside what their drivers do. They change nothing, and are for VMMs whose process is known. */
export interface VmmLooks {
  readonly measure: (place: VmmPlace) => Promise<VmmReading>
  /** resolves if the VMM answers, and is the one that is meant; rejects if not, or when the signal fires */
  readonly ping: (place: VmmPlace, signal: AbortSignal) => Promise<void>
}

/** How long a VMM may take over each question, in `ms`. */
const answerMs = 1_000

export const vmmLooks: VmmLooks = {
  async measure(place) {
    const usage = usageFor(place)
    const told = await ask(place, async client => {
      const counters = await client.counters({ limitMs: answerMs })
      const guestBytes = (await client.info({ limitMs: answerMs }))?.memoryBytes
      return {
        ...(counters === undefined ? {} : { counters }),
        ...(guestBytes === undefined ? {} : { guestBytes }),
      }
    }).catch(error => {
      // It lives and is silent, or has just ended: what it would have said is not known.
      if (!(error instanceof ApiError)) throw error
      return {}
    })
    return { ...(usage === undefined ? {} : { usage }), ...told }
  },
  ping: (place, signal) => ask(place, async () => {}, signal),
}

/** Asks a VMM, once it is proven to be the one that is meant. */
async function ask<T>(
  { home, box, incarnation, process }: VmmPlace,
  question: (client: Client) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = new Client(runFiles(home, box, incarnation).socket)
  try {
    const { pid } = await client.ping({ limitMs: answerMs, signal })
    const isHere = process.pidNamespace === readPidNamespace()
    if (isHere && pid !== undefined && pid !== process.pid)
      throw new ApiError('garbled', `The VMM that answers is process ${pid}, not ${process.pid}`)
    return await question(client)
  } finally {
    client.close()
  }
}

function usageFor({ home, box, incarnation, process }: VmmPlace): ProcessUsage | undefined {
  try {
    return usageOf(process, runFiles(home, box, incarnation).socket)
  } catch {
    return undefined // it could not be looked at, and so nothing is known of it
  }
}
