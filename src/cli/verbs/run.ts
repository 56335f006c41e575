import { BoxError } from '../../index.ts'
import { addBoxFlags, type BoxFlags, boxOptionsOf } from '../box-flags.ts'
import type { Cli } from '../cli.ts'

interface RunFlags extends BoxFlags {
  readonly detach?: boolean
}

export function addRun({ program, onHome }: Cli): void {
  addBoxFlags(program.command('run'))
    .description('create and start a box; prints its ID')
    .usage('-d [options] [-- CMD…]')
    .option('-d, --detach', 'leave it running; CMD is its main command')
    .action((words: string[], flags: RunFlags) => {
      const options = boxOptionsOf(flags, words)
      if (!flags.detach)
        throw new BoxError(
          'UNSUPPORTED',
          'Running a command in the foreground is not there yet: use run -d, then console --follow and wait',
        )
      return onHome(async ({ runtime, output, json, signal }) => {
        const box = await runtime.create(options, { signal })
        try {
          await box.start({ signal })
        } catch (error) {
          if (!json) output.note(`boxledger: box ${box.name ?? box.id} was created, but not started:`)
          throw error
        }
        await (json ? output.value(await box.info()) : output.line(box.id))
      })
    })
}
