import type { Cli } from '../cli.ts'
import { whole, words } from '../parse.ts'
import { RecordLines } from '../record-line.ts'

interface LogFlags {
  readonly from?: number
  readonly follow?: boolean
  readonly type?: string[]
}

export function addLog({ program, onHome }: Cli): void {
  program
    .command('log')
    .description('the ledger, a line a record; of a removed box too, by its ID')
    .argument('[box]')
    .option('--from <position>', 'first position (default: 1)', whole)
    .option('-f, --follow', 'go on with what comes')
    .option('--type <type>', 'events of this type only, such as vmm.exited; repeatable', words)
    .action((box: string | undefined, { from, follow = false, type }: LogFlags) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const names = (await runtime.listInfo()).map(info => [info.id, info.name ?? info.id] as const)
        const lines = new RecordLines(new Map(names))
        const records = runtime.events({
          follow,
          signal,
          ...(from === undefined ? {} : { from }),
          ...(box === undefined ? {} : { box }),
          ...(type === undefined ? {} : { types: type }),
        })
        for await (const record of records) {
          await (json ? output.row(record) : output.line(lines.format(record)))
          signal.throwIfAborted()
        }
      }),
    )
}
