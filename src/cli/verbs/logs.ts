import { InvalidArgumentError } from 'commander'
import type { Cli } from '../cli.ts'
import { whole } from '../parse.ts'
import { boxOf } from '../targets.ts'

interface LogsFlags {
  readonly follow?: boolean
  readonly tail: number | 'all'
  readonly incarnation?: number
}

export function addLogs({ program, onHome }: Cli): void {
  program
    .command('logs')
    .description(
      "what a box's main command prints, byte by byte; without one, what its guest does on its console",
    )
    .argument('<box>')
    .option('-f, --follow', 'go on with what comes, until the box is down')
    .option('-n, --tail <n>', "so many lines from the end, or 'all'", lines, 'all')
    .option('--incarnation <n>', 'of an earlier VMM; the last 5 are kept', whole)
    .action((target: string, { follow = false, tail, incarnation }: LogsFlags) =>
      onHome(async ({ runtime, output, signal }) => {
        const box = await boxOf(runtime, target)
        const { spec } = await box.info()
        const printed = box.console({
          ...{ follow, signal },
          of: spec.command === undefined ? 'guest' : 'command',
          ...(tail === 'all' ? {} : { tail }),
          ...(incarnation === undefined ? {} : { incarnation }),
        })
        for await (const bytes of printed) {
          await output.write(bytes)
          signal.throwIfAborted()
        }
      }),
    )
}

function lines(value: string): number | 'all' {
  if (value === 'all') return value
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("Give a number of lines, or 'all'.")
  return Number(value)
}
