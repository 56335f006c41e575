import { BoxError } from '../../index.ts'
import { attach, type Leave } from '../attach.ts'
import type { Cli } from '../cli.ts'
import { keySequence } from '../detach-keys.ts'
import { whole } from '../parse.ts'
import { boxOf } from '../targets.ts'

interface ConsoleFlags {
  readonly follow?: boolean
  readonly incarnation?: number
  readonly interactive?: boolean
}

const leave: Leave = { keys: keySequence('ctrl-]'), how: 'end' }

export function addConsole({ program, onHome }: Cli): void {
  program
    .command('console')
    .description(
      "what a box's guest prints on its serial port, byte by byte, with --json too; -i: a shell in it",
    )
    .argument('<box>')
    .option('-f, --follow', 'go on with what comes, until the box is down')
    .option('--incarnation <n>', 'of an earlier VMM; the last 5 are kept', whole)
    .option('-i, --interactive', 'a shell of its own at this terminal, of a box that is up; Ctrl-] leaves it')
    .action((target: string, { follow = false, incarnation, interactive = false }: ConsoleFlags) =>
      onHome(async session => {
        const { runtime, output, signal } = session
        const box = await boxOf(runtime, target)
        if (interactive) {
          const { state } = await box.info()
          if (state !== 'running')
            throw new BoxError('INVALID_STATE', `There is no shell in box ${target}: it is ${state}`, {
              details: { state },
            })
          output.note('A shell in the box. Ctrl-] leaves it.')
          return attach(session, { interactive, tty: true, leave }, options =>
            box.exec('sh', ['-l'], { ...options, cwd: '/' }),
          )
        }
        const wanted = incarnation === undefined ? {} : { incarnation }
        for await (const bytes of box.console({ follow, signal, ...wanted })) {
          await output.write(bytes)
          signal.throwIfAborted()
        }
        return undefined
      }),
    )
}
