import { addBoxFlags, type BoxFlags, boxOptionsOf } from '../box-flags.ts'
import type { Cli } from '../cli.ts'

export function addCreate({ program, onHome }: Cli): void {
  addBoxFlags(program.command('create'))
    .description('record a new box and start nothing; prints its ID')
    .usage('[options] [-- CMD…]')
    .action((words: string[], flags: BoxFlags) => {
      const options = boxOptionsOf(flags, words)
      return onHome(async ({ runtime, output, json, signal }) => {
        const box = await runtime.create(options, { signal })
        await (json ? output.value(await box.info()) : output.line(box.id))
      })
    })
}
