/** One thing that happened, for people to read. */
export interface TimelineEntry {
  /** since the beginning, in `ms` */
  readonly at: number
  /** ID; absent: it concerns the engine or the host */
  readonly box?: string
  /** name of the box at that time */
  readonly name?: string
  readonly what: string
}

const two = (n: number) => String(n).padStart(2, '0')

/** A line such as `1d 03:04:05.678  web  vmm.exited: running → crashed`. */
export function lineOf({ at, box, name, what }: TimelineEntry): string {
  const day = Math.floor(at / 86_400_000)
  const hour = Math.floor(at / 3_600_000) % 24
  const minute = Math.floor(at / 60_000) % 60
  const second = Math.floor(at / 1_000) % 60
  const time = `${two(hour)}:${two(minute)}:${two(second)}.${String(at % 1_000).padStart(3, '0')}`
  return `${day}d ${time}  ${name ?? box ?? '-'}  ${what}`
}
