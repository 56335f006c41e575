import type { Cli } from '../cli.ts'
import { differenceWords } from '../difference-words.ts'
import { whole } from '../parse.ts'

export function addDiff({ program, onHome }: Cli): void {
  program
    .command('diff')
    .description('what is different between a box after one version and after another')
    .argument('<box>')
    .argument('<a>', 'a version', whole)
    .argument('<b>', 'a version', whole)
    .action((target: string, a: number, b: number) =>
      onHome(async ({ runtime, output, json }) => {
        const differences = await runtime.diff(target, a, b)
        if (json) await output.value(differences)
        else for (const difference of differences) await output.line(differenceWords(difference))
      }),
    )
}
