import type { BoxInfo, HealthState } from '../index.ts'

/** A box's state with what matters of it: how far a start is, how it ended, why it cannot be looked at. */
export function stateWords(info: BoxInfo): string {
  if (info.parked !== undefined) return `${info.state} (parked: ${info.parked.reason})`
  const remarks = [
    ...reasons(info),
    ...(info.health === undefined || info.state === 'starting' ? [] : [healthWords[info.health]]),
    ...(info.recovering ? ['recovering'] : []),
    ...(info.inert ? ['a copy, not adopted'] : []),
  ]
  const state = info.stage === undefined ? info.state : `${info.state}: ${info.stage}`
  return remarks.length === 0 ? state : `${state} (${remarks.join(', ')})`
}

const healthWords = {
  starting: 'health: starting',
  healthy: 'healthy',
  unhealthy: 'unhealthy',
} as const satisfies Record<HealthState, string>

function reasons({ state, ending, reason, responding }: BoxInfo): string[] {
  if (state === 'unknown') return reason === undefined ? [] : [reason]
  if (ending === undefined) return responding ? [] : ['not responding']
  const { cause, code, exitCode, vmm } = ending
  return [
    code ?? cause,
    ...(exitCode === undefined ? [] : [`exit ${exitCode}`]),
    // Elsewhere it was the engine that killed the VMM.
    ...(vmm?.signal === undefined || cause !== 'crash' ? [] : [vmm.signal]),
  ]
}

/** Largest unit only: a table has little room. */
export function ageWords(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
