import type { RunFiles } from '../files/paths.ts'
import type { Quirks } from './quirks.ts'

/** The VMM's arguments: no VM among them, for a create over the API has errors with a cause. */
export function vmmArguments(files: RunFiles, { noShutdown }: Quirks): string[] {
  return [
    ...['--api-socket', `path=${files.socket}`],
    ...['--event-monitor', `path=${files.events}`],
    ...['--log-file', files.log],
    ...(noShutdown ? ['--no-shutdown'] : []),
    ...['--seccomp', 'true'],
  ]
}
