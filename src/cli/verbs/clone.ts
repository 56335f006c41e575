import type { Cli } from '../cli.ts'
import { boxOf } from '../targets.ts'

interface CloneFlags {
  readonly name?: string
  readonly snapshot?: string
}

export function addClone({ program, onHome }: Cli): void {
  program
    .command('clone')
    .description('make a box that goes on from where another one is, or was saved; prints its ID')
    .argument('<box>')
    .option('--name <name>', 'of the new box')
    .option('--snapshot <name>', 'begin with this snapshot of the box (default: how it is now, if it is up)')
    .action((target: string, flags: CloneFlags) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        const made = await box.clone({ ...flags, signal })
        await (json ? output.value(await made.info()) : output.line(made.id))
      }),
    )
}
