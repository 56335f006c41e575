import { BoxError } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { writeStory } from '../story.ts'

interface ExportFlags {
  readonly box?: string
  readonly html?: boolean
}

export function addExport({ program, onHome }: Cli): void {
  program
    .command('export')
    .description("a box's story as a page that needs no server, to stdout; of a removed box too, by its ID")
    .option('--box <box>', 'of this box only')
    .option('--html', 'as a page, with the box machine and the way that the box went')
    .action(({ box, html = false }: ExportFlags) =>
      onHome(async session => {
        if (!html || box === undefined)
          throw new BoxError('INVALID_ARGUMENT', 'export needs --html, and a box with --box', {
            details: { field: html ? 'box' : 'html' },
          })
        await writeStory(session, box)
        return undefined
      }),
    )
}
