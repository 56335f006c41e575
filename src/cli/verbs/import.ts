import type { ImportReport } from '../../index.ts'
import { count } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import { linesIn } from '../file-lines.ts'
import type { Output } from '../output.ts'

export function addImport({ program, onHome }: Cli): void {
  program
    .command('import')
    .description('fill an empty home with an export; its boxes are history until they are adopted')
    .argument('<file>', 'what export has written; - for stdin')
    .action((file: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const report = await runtime.importLedger(linesIn(file, signal))
        await (json ? output.value(report) : tell(report, output))
      }),
    )
}

async function tell({ records, boxes, box, parked }: ImportReport, output: Output): Promise<void> {
  for (const { box, position, reason } of parked)
    await output.line(`parked: ${box}${position === undefined ? '' : ` at position ${position}`}: ${reason}`)
  const extent = `${count(records, 'record')}, ${box ?? count(boxes, 'box', 'boxes')}`
  await output.line(`imported: ${extent}. It is history until you adopt it (boxledger adopt)`)
}
