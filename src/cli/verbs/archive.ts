import { bytes, count } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import { date } from '../parse.ts'

export function addArchive({ program, onHome }: Cli): void {
  program
    .command('archive')
    .description(
      'move the records of removed boxes to closed files in the home; compact gives the space back',
    )
    .option('--before <time>', 'of boxes removed before that, such as 2025-12-31 (default: now)', date)
    .action(({ before = new Date() }: { before?: Date }) =>
      onHome(async ({ runtime, output, json }) => {
        const report = await runtime.archive({ before })
        if (json) return void (await output.value(report))
        const { boxes, records, segments, left } = report
        for (const { file, ...segment } of segments)
          await output.line(`${file}   ${count(segment.records, 'record')}, ${bytes(segment.bytes)}`)
        await output.line(
          `archived: ${count(records, 'record')} of ${count(boxes, 'removed box', 'removed boxes')}`,
        )
        for (const box of left) output.note(`boxledger: ${box}: left where it is, its records are damaged`)
      }),
    )
}
