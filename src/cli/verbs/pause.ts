import type { Cli } from '../cli.ts'
import { boxOf, changeEach } from '../targets.ts'

export function addPause({ program, onHome }: Cli): void {
  program
    .command('pause')
    .description('hold the virtual CPUs of boxes')
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const box = await boxOf(session.runtime, target)
          await box.pause({ signal: session.signal })
          return box.info()
        }),
      ),
    )
}
