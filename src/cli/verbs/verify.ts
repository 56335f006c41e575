import { errorCodes, type VerifyReport } from '../../index.ts'
import { count } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import type { Output } from '../output.ts'

export function addVerify({ program, onHome }: Cli): void {
  program
    .command('verify')
    .description('check the ledger from its first record to its last; exits with 5 if it is damaged')
    .option('--replay', 'fold every box anew as well, and compare')
    .action(({ replay = false }: { replay?: boolean }) =>
      onHome(async ({ runtime, output, json }) => {
        const report = await runtime.verify({ replay })
        await (json ? output.value(report) : tell(report, output))
        return report.ok ? 0 : errorCodes.LEDGER_CORRUPT.exit
      }),
    )
}

async function tell({ ok, records, boxes, parked, problems }: VerifyReport, output: Output): Promise<void> {
  const extent = `${count(records, 'record')}, ${count(boxes, 'box', 'boxes')}`
  if (ok) return output.line(`ledger verified: ${extent}`)
  for (const { kind, position, box, file, message } of problems) {
    const place = [
      ...(position === undefined ? [] : [`position ${position}`]),
      ...(box === undefined ? [] : [`box ${box}`]),
      ...(file === undefined ? [] : [file]),
    ]
    await output.line(`${kind}${place.length === 0 ? '' : ` (${place.join(', ')})`}: ${message}`)
  }
  if (parked.length > 0) await output.line(`parked: ${parked.join(', ')}`)
  await output.line(`ledger damaged: ${count(problems.length, 'problem')} in ${extent}`)
}
