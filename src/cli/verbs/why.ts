import type { Cli } from '../cli.ts'
import { whole } from '../parse.ts'
import { recordLines } from '../record-line.ts'

export function addWhy({ program, onHome }: Cli): void {
  program
    .command('why')
    .description('the records that led to a record, first cause first')
    .argument('<position>', 'as log shows it', whole)
    .action((position: number) =>
      onHome(async ({ runtime, output, json }) => {
        const chain = await runtime.why(position)
        const lines = await recordLines(runtime)
        if (json) await output.value(chain)
        else for (const record of chain) await output.line(lines.format(record))
      }),
    )
}
