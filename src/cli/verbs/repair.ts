import { homeOf } from '../../api/home.ts'
import { BoxRuntime, type RepairReport } from '../../index.ts'
import { count } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import type { Output } from '../output.ts'

export function addRepair({ program, alone }: Cli): void {
  program
    .command('repair')
    .description('write every good record of a damaged home to a new one; the damaged one stays as it is')
    .argument('<target>', 'directory of the new home; must not exist, or be empty')
    .action((target: string) =>
      alone(async ({ home, json, output }) => {
        const report = await BoxRuntime.repair(homeOf(home, process.env), target)
        await (json ? output.value(report) : tell(report, target, output))
      }),
    )
}

async function tell(report: RepairReport, target: string, output: Output): Promise<void> {
  const { records, boxes, parked, lost, unknown, rebuilt, unproven, files, problems } = report
  for (const { file, message } of files) await output.line(`${file}: ${message}`)
  for (const { from, to } of lost)
    await output.line(from === to ? `lost: position ${from}` : `lost: positions ${from} to ${to}`)
  for (const { box, position, reason } of parked)
    await output.line(`parked: ${box}${position === undefined ? '' : ` at position ${position}`}: ${reason}`)
  for (const { kind, message } of problems) await output.line(`${kind}: ${message}`)
  if (rebuilt > 0) await output.line(`made anew and proven: ${count(rebuilt, 'frame')}`)
  const withoutProof = unproven.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  if (withoutProof > 0) await output.line(`made anew without a proof: ${count(withoutProof, 'frame')}`)
  if (unknown > 0) await output.line(`of ${count(unknown, 'lost record')} nothing tells whose they were`)
  await output.line(`repaired into ${target}: ${count(records, 'record')}, ${count(boxes, 'box', 'boxes')}`)
}
