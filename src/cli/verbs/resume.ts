import type { Cli } from '../cli.ts'
import { boxOf, changeEach } from '../targets.ts'

export function addResume({ program, onHome }: Cli): void {
  program
    .command('resume')
    .description('let paused boxes go on')
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const box = await boxOf(session.runtime, target)
          await box.resume({ signal: session.signal })
          return box.info()
        }),
      ),
    )
}
