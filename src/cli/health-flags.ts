import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BoxOptions } from '../index.ts'
import { duration, whole } from './parse.ts'

/** How a box is asked how it is, in docker's words. */
export interface HealthFlags {
  readonly healthCmd?: string
  readonly healthPing?: boolean
  readonly healthInterval?: number
  readonly healthTimeout?: number
  readonly healthRetries?: number
  readonly healthStartPeriod?: number
}

export function addHealthFlags(command: Command): Command {
  return command
    .option('--health-cmd <string>', 'a command for sh in the guest: the box is well if it ends with 0')
    .addOption(new Option('--health-ping', 'ask the VMM instead').conflicts('healthCmd'))
    .option(
      '--health-interval <duration>',
      'between an answer and the next question (default: 30s)',
      duration,
    )
    .option('--health-timeout <duration>', 'longest wait for an answer (default: 10s)', duration)
    .option('--health-retries <n>', 'failures in a row that make it unhealthy (default: 3)', whole)
    .option(
      '--health-start-period <duration>',
      'how long failures do not count at first (default: 0s)',
      duration,
    )
}

export function healthOf(flags: HealthFlags): BoxOptions['health'] {
  const { healthCmd, healthPing, healthInterval, healthTimeout, healthRetries, healthStartPeriod } = flags
  const given = Object.entries({
    intervalMs: healthInterval,
    timeoutMs: healthTimeout,
    retries: healthRetries,
    startPeriodMs: healthStartPeriod,
  }).filter(([, value]) => value !== undefined)
  const command = healthPing === true ? 'ping' : healthCmd === undefined ? undefined : ['sh', '-c', healthCmd]
  if (command !== undefined) return { command, ...Object.fromEntries(given) }
  if (given.length === 0) return undefined
  throw new InvalidArgumentError('error: the other --health flags go with --health-cmd or --health-ping')
}
