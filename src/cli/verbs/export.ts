import type { Cli } from '../cli.ts'

/** How much is written at once, in `characters`. */
const pieceLength = 64 << 10

export function addExport({ program, onHome }: Cli): void {
  program
    .command('export')
    .description('the ledger as it is stored, a line a frame and a body, to stdout')
    .option('--box <box>', 'one box only, with its executions; a removed one by its ID')
    .action(({ box }: { box?: string }) =>
      onHome(async ({ runtime, output, signal }) => {
        let piece = ''
        for await (const line of runtime.exportLedger(box === undefined ? {} : { box })) {
          piece += `${line}\n`
          if (piece.length < pieceLength) continue
          await output.write(piece)
          signal.throwIfAborted()
          piece = ''
        }
        await output.write(piece)
      }),
    )
}
