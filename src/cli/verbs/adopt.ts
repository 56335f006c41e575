import type { Cli } from '../cli.ts'

export function addAdopt({ program, onHome }: Cli): void {
  program
    .command('adopt')
    .description('make the boxes of a copied or imported home live ones')
    .action(() =>
      onHome(async ({ runtime, output, json }) => {
        await runtime.adopt()
        const { length } = await runtime.listInfo()
        await (json ? output.value({ boxes: length }) : output.line(`adopted: ${length} boxes`))
      }),
    )
}
