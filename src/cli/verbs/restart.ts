import type { Cli } from '../cli.ts'
import { boxOf, changeEach } from '../targets.ts'

export function addRestart({ program, onHome }: Cli): void {
  program
    .command('restart')
    .description('stop boxes that are up, and start them')
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const box = await boxOf(session.runtime, target)
          await box.restart({ signal: session.signal })
          return box.info()
        }),
      ),
    )
}
