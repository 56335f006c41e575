import type { Cli } from '../cli.ts'
import { boxOf } from '../targets.ts'

export function addResolve({ program, onHome }: Cli): void {
  program
    .command('resolve')
    .description('your word for a box that cannot be looked at; it is recorded')
    .argument('<box>')
    .requiredOption('--dead', 'its VMM is dead')
    .action((target: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        await runtime.resolve(target, 'dead', { signal })
        await (json ? output.value(await box.info()) : output.line(target))
      }),
    )
}
