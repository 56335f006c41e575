import { BoxError } from '../../index.ts'
import type { Cli } from '../cli.ts'
import type { Session } from '../session.ts'
import { writeStory } from '../story.ts'

interface ExportFlags {
  readonly box?: string
  readonly html?: boolean
}

/** How much is written at once, in `characters`. */
const pieceLength = 64 << 10

export function addExport({ program, onHome }: Cli): void {
  program
    .command('export')
    .description('the ledger as it is stored, a line a frame and a body, to stdout')
    .option('--box <box>', 'one box only, with its executions; a removed one by its ID')
    .option('--html', "the box's story instead, as a page that needs no server")
    .action(({ box, html = false }: ExportFlags) =>
      onHome(async session => {
        if (!html) await writeLines(session, box)
        else if (box !== undefined) await writeStory(session, box)
        else
          throw new BoxError('INVALID_ARGUMENT', 'export --html needs a box with --box', {
            details: { field: 'box' },
          })
        return undefined
      }),
    )
}

async function writeLines({ runtime, output, signal }: Session, box: string | undefined): Promise<void> {
  let piece = ''
  for await (const line of runtime.exportLedger(box === undefined ? {} : { box })) {
    piece += `${line}\n`
    if (piece.length < pieceLength) continue
    await output.write(piece)
    signal.throwIfAborted()
    piece = ''
  }
  await output.write(piece)
}
