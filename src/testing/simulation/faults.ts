/** What goes wrong in a simulation, and how often. */
export interface Faults {
  /** kills of the engine, `per hour` */
  readonly crashes: number
  /** orderly ends of the engine, `per hour` */
  readonly closes: number
  /** reboots of the host, `per hour` */
  readonly hostReboots: number
  /** share of the ledger's writes that are rejected, half of them there all the same, `0 to 1` */
  readonly rejectedFlushes: number
  /** times that the disk is full for some minutes, `per hour` */
  readonly fullDisks: number
  /** share of the drivers' calls that are refused, lost, hang, or kill the VMM, `0 to 1` */
  readonly calls: number
  /** what befalls each VMM that lives, `per hour` */
  readonly fates: number
  /** steps of the wall clock, back or forth, `per hour` */
  readonly clockSteps: number
}

/** Much worse than any machine that one would keep. */
export const usualFaults: Faults = {
  crashes: 1,
  closes: 0.2,
  hostReboots: 0.1,
  rejectedFlushes: 0.002,
  fullDisks: 0.05,
  calls: 0.02,
  fates: 0.5,
  clockSteps: 0.1,
}

export const noFaults: Faults = {
  crashes: 0,
  closes: 0,
  hostReboots: 0,
  rejectedFlushes: 0,
  fullDisks: 0,
  calls: 0,
  fates: 0,
  clockSteps: 0,
}
