import { InvalidArgumentError } from 'commander'
import { schema } from '../machines/index.ts'

/** `K=V`, gathered from a flag that may be given again and again. */
export function pairs(value: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = value.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Give it as KEY=VALUE.')
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) }
}

export function words(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** Types of events, gathered likewise. */
export function eventTypes(value: string, before: readonly string[] = []): string[] {
  if (Object.hasOwn(schema.versions, value)) return [...before, value]
  const all = Object.keys(schema.versions)
  const alike = all.filter(type => type.split('.')[0] === value.split('.')[0])
  throw new InvalidArgumentError(`There are ${(alike.length === 0 ? all : alike).join(', ')}.`)
}

/** A number; its limits are the library's to check. */
export function whole(value: string): number {
  if (!/^-?\d+$/.test(value)) throw new InvalidArgumentError('Give a whole number.')
  return Number(value)
}

/** A day, or a moment, as ISO 8601 or `boxledger log` writes them. */
export function date(value: string): Date {
  const time = /^\d{4}-\d{2}-\d{2}([T ][\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.test(value)
    ? Date.parse(value.replace(' ', 'T'))
    : Number.NaN
  if (Number.isNaN(time))
    throw new InvalidArgumentError('Give a day as 2025-12-31, or a time as 2025-12-31T23:59:00Z.')
  return new Date(time)
}

/** As docker and Go write durations, `1m30s` or `500ms`; in `ms`. */
export function duration(value: string): number {
  const units = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }
  const parts = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(value) ? value.matchAll(/([\d.]+)(h|ms|m|s)/g) : []
  const times = [...parts].map(([, count, unit]) => Number(count) * units[unit as keyof typeof units])
  if (times.length === 0) throw new InvalidArgumentError('Give a duration, as 30s, 1m30s or 500ms.')
  return Math.round(times.reduce((sum, time) => sum + time))
}

/** Seconds, fractions allowed, as `ms`. */
export function seconds(value: string): number {
  if (!/^\d+(\.\d+)?$/.test(value)) throw new InvalidArgumentError('Give a number of seconds.')
  return Math.round(Number(value) * 1000)
}
