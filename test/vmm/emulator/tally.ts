import { LEFT_OUT } from './left-out.ts'

/** Counts what was replayed, left out and found different. */
export class Tally {
  replayed = 0
  readonly leftOut: { readonly what: string; readonly reason: string }[] = []
  readonly failures: Error[] = []

  /** Replays one step, unless the list of what is left out has it. */
  async replay(what: string, step: () => Promise<void>): Promise<void> {
    const reason = Object.entries(LEFT_OUT).find(([key]) => what.startsWith(key))?.[1]
    if (reason !== undefined) {
      this.leftOut.push({ what, reason })
      return
    }
    this.replayed += 1
    try {
      await step()
    } catch (error) {
      this.failures.push(new Error(what, { cause: error }))
    }
  }

  add(other: Tally): void {
    this.replayed += other.replayed
    this.leftOut.push(...other.leftOut)
  }

  format(): string {
    const all = this.replayed + this.leftOut.length
    const percent = Math.round((100 * this.leftOut.length) / all)
    const lines = [
      `recordings: ${this.replayed} of ${all} steps replayed, ${this.leftOut.length} left out (${percent} %)`,
    ]
    const reasons = new Map<string, number>()
    for (const { reason } of this.leftOut) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    for (const [reason, count] of reasons) lines.push(`  ${count}: ${reason}`)
    return lines.join('\n')
  }

  /** Fails with every difference found. */
  check(): void {
    if (this.failures.length === 0) return
    const details = this.failures.map(failure => {
      const cause = failure.cause as Error & { details?: string }
      return `${failure.message}\n    ${cause.message}\n${cause.details ?? cause.stack}`
    })
    throw new Error(`${this.failures.length} steps differ:\n${details.join('\n')}`)
  }
}
