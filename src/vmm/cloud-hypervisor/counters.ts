import { isObject } from './answer.ts'

/** What the devices of a VM have done since it was created, by the VMM's names of them. */
export interface Counters {
  readonly disks: Readonly<Record<string, DiskCounters>>
  readonly net: Readonly<Record<string, NetCounters>>
}

export interface DiskCounters {
  readonly readBytes: number
  readonly readOps: number
  readonly writeBytes: number
  readonly writeOps: number
}

/** As the guest sees it: what it received, and what it sent. */
export interface NetCounters {
  readonly rxBytes: number
  readonly rxFrames: number
  readonly txBytes: number
  readonly txFrames: number
}

/** Whatever a VMM says, a box has no more devices than that. */
const mostDevices = 256

/** What is counted in the answer of `vm.counters`; devices of other kinds, and what is no number, are passed over. */
export function countersIn(answer: Readonly<Record<string, unknown>>): Counters {
  const disks: [string, DiskCounters][] = []
  const net: [string, NetCounters][] = []
  for (const [name, device] of Object.entries(answer).slice(0, mostDevices)) {
    if (!isObject(device)) continue
    const id = name.slice(0, 64)
    const { read_bytes: readBytes, read_ops: readOps, write_bytes: writeBytes, write_ops: writeOps } = device
    if (isCount(readBytes) && isCount(readOps) && isCount(writeBytes) && isCount(writeOps))
      disks.push([id, { readBytes, readOps, writeBytes, writeOps }])
    const { rx_bytes: rxBytes, rx_frames: rxFrames, tx_bytes: txBytes, tx_frames: txFrames } = device
    if (isCount(rxBytes) && isCount(rxFrames) && isCount(txBytes) && isCount(txFrames))
      net.push([id, { rxBytes, rxFrames, txBytes, txFrames }])
  }
  return { disks: Object.fromEntries(disks), net: Object.fromEntries(net) }
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}
