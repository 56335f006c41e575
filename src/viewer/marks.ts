import type { Step } from './story.ts'
import { spanWords } from './time.ts'

/** What happened around the box between a step and the one before it. */
export interface Mark {
  readonly kind: 'engine' | 'host'
  readonly words: string
}

/** Ownership changed hands, or the host was booted. */
export function markOf(step: Step, before: Step | undefined): Mark | undefined {
  if (before === undefined) return undefined
  if (step.boot !== before.boot) return { kind: 'host', words: 'host booted anew' }
  if (step.epoch !== before.epoch) return { kind: 'engine', words: `owner ${step.epoch}` }
  return undefined
}

/** `v12`, or which execution's. */
export function versionWords(step: Step): string {
  return step.execution === undefined ? `v${step.version}` : `${step.execution} v${step.version}`
}

/** Part of the address that selects a step. */
export function hashOf(step: Step): string {
  return step.execution === undefined ? `#v${step.version}` : `#p${step.position}`
}

/** How long after the step before. */
export function sinceWords(step: Step, before: Step | undefined): string {
  return before === undefined ? '' : `+${spanWords(step.at - before.at)}`.replace('+−', '−')
}

/** One step in words, for those who hear it. */
export function sentenceOf(step: Step): string {
  const whose = step.execution === undefined ? `Version ${step.version}` : `Execution ${step.execution}`
  const move = step.from === step.to || step.from === '' ? `in ${step.to}` : `from ${step.from} to ${step.to}`
  return `${whose}: ${step.event.type}${step.words === '' ? '' : `, ${step.words}`}; ${move}`
}
