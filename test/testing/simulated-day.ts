// Prints the hash over all that happens in a simulated day: `node simulated-day.js SEED`.
import { type SimulationReport, simulate } from 'boxledger/testing'

export function simulateDay(seed: number): Promise<SimulationReport> {
  return simulate({ seed, boxes: 5, hours: 24, checks: 2, faults: { crashes: 2 } })
}

const [, program, seed] = process.argv
if (program === import.meta.filename) console.log((await simulateDay(Number(seed))).hash)
