import type { Cli } from '../cli.ts'
import { whole } from '../parse.ts'
import { boxOf } from '../targets.ts'

interface ConsoleFlags {
  readonly follow?: boolean
  readonly incarnation?: number
}

export function addConsole({ program, onHome }: Cli): void {
  program
    .command('console')
    .description("what a box's guest prints on its serial port, byte by byte, with --json too")
    .argument('<box>')
    .option('-f, --follow', 'go on with what comes, until the box is down')
    .option('--incarnation <n>', 'of an earlier VMM; the last 5 are kept', whole)
    .action((target: string, { follow = false, incarnation }: ConsoleFlags) =>
      onHome(async ({ runtime, output, signal }) => {
        const box = await boxOf(runtime, target)
        const wanted = incarnation === undefined ? {} : { incarnation }
        for await (const bytes of box.console({ follow, signal, ...wanted })) {
          await output.write(bytes)
          signal.throwIfAborted()
        }
      }),
    )
}
