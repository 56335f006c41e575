import type { VmConfig } from './config/vm-config.ts'

// Beyond 2^53, so written as text: no request has been served yet.
const NEVER = '18446744073709551615'
const NEVER_AVERAGE = '1844674407370955'

const DISK = [
  '"read_bytes":0,"read_ops":0,"write_bytes":0,"write_ops":0',
  `"read_latency_min":${NEVER},"read_latency_max":${NEVER},"read_latency_avg":${NEVER_AVERAGE}`,
  `"write_latency_min":${NEVER},"write_latency_max":${NEVER},"write_latency_avg":${NEVER_AVERAGE}`,
].join(',')

const NET = '"rx_bytes":0,"rx_frames":0,"tx_bytes":0,"tx_frames":0'

/** The body of `vm.counters`. Nothing is counted: every device says that it has done nothing yet. */
export function formatCounters(config: VmConfig): string {
  const disks = (config.disks ?? []).map(({ id }) => `${JSON.stringify(id)}:{${DISK}}`)
  const nets = (config.net ?? []).map(({ id }) => `${JSON.stringify(id)}:{${NET}}`)
  return `{${[...disks, ...nets].join(',')}}`
}
