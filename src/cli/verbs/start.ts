import type { Cli } from '../cli.ts'
import { boxOf, changeEach } from '../targets.ts'

export function addStart({ program, onHome }: Cli): void {
  program
    .command('start')
    .description('start boxes; done when they are ready')
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const box = await boxOf(session.runtime, target)
          await box.start({ signal: session.signal })
          return box.info()
        }),
      ),
    )
}
