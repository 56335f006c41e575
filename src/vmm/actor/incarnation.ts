import type { BoxContext, BoxFact, CrashPoint, ProcessIdentity } from '../../machines/index.ts'
import { Client } from '../cloud-hypervisor/client.ts'
import { type Quirks, quirksOf } from '../cloud-hypervisor/quirks.ts'
import { uuidOf } from '../cloud-hypervisor/uuid.ts'
import type { Discovery } from '../discovery/discover.ts'
import type { DriverInput } from '../driver.ts'
import { type RunFiles, runFiles } from '../files/paths.ts'
import type { OwnChild } from '../host/spawn.ts'
import type { Guest } from '../image.ts'
import type { Proved } from '../snapshots/parts.ts'
import { Closed } from './closed.ts'

type WithoutIncarnation<T> = T extends unknown ? Omit<T, 'incarnation'> : never

/** A fact before it is stamped with its incarnation. */
export type Fact = WithoutIncarnation<BoxFact>

/** What is known of one incarnation, shared by all that works on it. */
export class Incarnation {
  readonly input: DriverInput
  readonly files: RunFiles
  readonly uuid: string
  readonly client: Client
  readonly #closed = new AbortController()
  /** as the engine last gave it */
  context: BoxContext
  /** the VMM's process, as far as it is known */
  process: ProcessIdentity | null
  /** the VMM's process, if this process has made it */
  child: OwnChild | undefined
  quirks: Quirks
  program: Discovery | undefined
  guest: Guest | undefined
  /** of what this begins with, the files that are what was written, see origin.ts */
  proof: Promise<Proved> | undefined
  /** this driver cuts the VM off or ends the VMM: what the VMM says of that is not the guest's doing */
  cutOff: boolean

  constructor(input: DriverInput) {
    const { home, box, incarnation, context } = input
    this.input = input
    this.files = runFiles(home, box, incarnation)
    this.uuid = uuidOf(box)
    this.client = new Client(this.files.socket, point => this.boundary(point))
    this.context = context
    this.process = context.process
    this.quirks = quirksOf(context.vmmVersion ?? '')
    this.cutOff = context.failure !== null || (context.stop !== null && context.stop.mode !== 'graceful')
  }

  /** Fires when nothing more is to be done. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** Resolves when the fact is durable. Facts are recorded in the order of the calls. */
  async tell(fact: Fact): Promise<void> {
    if (this.closed.aborted) throw new Closed()
    try {
      await this.input.tell({ ...fact, incarnation: this.input.incarnation } as BoxFact)
    } catch {
      // The engine takes no more: it closes, or its ledger failed. Whoever comes next looks at the world again.
      this.close()
      throw new Closed()
    }
  }

  /** Marks a moment between which and the next the engine may die. */
  boundary(point: CrashPoint): void {
    this.input.boundary?.(point)
  }

  close(): void {
    this.#closed.abort()
    this.client.close()
  }
}
