import type { Cli } from '../cli.ts'
import { boxOf } from '../targets.ts'

export function addRename({ program, onHome }: Cli): void {
  program
    .command('rename')
    .description('give a box another name, by its whole ID or name')
    .argument('<box>')
    .argument('<name>')
    .action((target: string, name: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        await runtime.rename(target, name, { signal })
        await (json ? output.value(await box.info()) : output.line(name))
      }),
    )
}
