import type { Cli } from '../cli.ts'
import { eventTypes, pairs, whole } from '../parse.ts'
import { recordLines } from '../record-line.ts'

interface LogFlags {
  readonly from?: number
  readonly follow?: boolean
  readonly type?: string[]
  readonly label?: Record<string, string>
}

export function addLog({ program, onHome }: Cli): void {
  program
    .command('log')
    .description('the ledger, a line a record; of a removed box too, by its ID')
    .argument('[box]')
    .option('--from <position>', 'first position (default: 1)', whole)
    .option('-f, --follow', 'go on with what comes')
    .option('--type <type>', 'events of this type only, such as vmm.exited; repeatable', eventTypes)
    .option('--label <key=value>', 'of boxes that have this label; repeatable', pairs)
    .action((box: string | undefined, { from, follow = false, type, label }: LogFlags) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const lines = await recordLines(runtime)
        const records = runtime.events({
          follow,
          signal,
          ...(from === undefined ? {} : { from }),
          ...(box === undefined ? {} : { box }),
          ...(type === undefined ? {} : { types: type }),
          ...(label === undefined ? {} : { labels: label }),
        })
        for await (const record of records) {
          await (json ? output.row(record) : output.line(lines.format(record)))
          signal.throwIfAborted()
        }
      }),
    )
}
