import { bytes } from '../amounts.ts'
import type { Cli } from '../cli.ts'

export function addCompact({ program, onHome }: Cli): void {
  program
    .command('compact')
    .description('give back the disk space of what was archived, overwritten or deleted')
    .action(() =>
      onHome(async ({ runtime, output, json }) => {
        const report = await runtime.compact()
        if (json) return void (await output.value(report))
        await output.line(`compacted: ${bytes(report.before)} before, ${bytes(report.after)} now`)
      }),
    )
}
