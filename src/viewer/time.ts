/** A moment, to the millisecond, as the ledger has it. */
export function momentWords(at: number): string {
  return isTime(at) ? new Date(at).toISOString().replace('T', ' ').replace('Z', '') : String(at)
}

/** The time of the day only. */
export function clockWords(at: number): string {
  return isTime(at) ? new Date(at).toISOString().slice(11, 23) : String(at)
}

/** How long something took, in two units at most. */
export function spanWords(ms: number): string {
  if (ms < 0) return `−${spanWords(-ms)}`
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return both(minutes, 'min', Math.floor((ms % 60_000) / 1000), 's')
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return both(hours, 'h', minutes % 60, 'min')
  return both(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const both = (large: number, of: string, small: number, ofSmall: string) =>
  small === 0 ? `${large} ${of}` : `${large} ${of} ${small} ${ofSmall}`

const isTime = (at: number) => Number.isFinite(at) && Math.abs(at) <= 8.64e15
