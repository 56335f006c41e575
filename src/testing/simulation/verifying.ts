import type { BoxRuntime } from '../../api/box-runtime.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { misfolded } from '../invariants/refold.ts'
import type { SimulationOptions } from './options.ts'

export interface Unsound {
  readonly box: string | undefined
  readonly message: string
}

/** What is wrong with a ledger, verified whole, and folded from zero by the step that it was written by. */
export async function unsoundIn(
  runtime: BoxRuntime,
  disk: SimulatedDisk,
  step: SimulationOptions['step'],
): Promise<Unsound[]> {
  const { problems } = await runtime.verify({ replay: step === undefined })
  const unsound: Unsound[] = problems.map(({ kind, position, box, message }) => ({
    box,
    message: `${kind}${position === undefined ? '' : ` at ${position}`}: ${message}`,
  }))
  if (step === undefined) return unsound
  const wrong = await misfolded(runtime.events({ from: 1 }), { step, head: stream => disk.headOf(stream) })
  return [...unsound, ...[...wrong].map(([box, message]) => ({ box, message }))]
}
