import type { Cli } from '../cli.ts'
import { boxOf, changeEach } from '../targets.ts'

export function addRm({ program, onHome }: Cli): void {
  program
    .command('rm')
    .description('remove boxes, by their whole ID or name; their history stays')
    .argument('<box...>')
    .option('-f, --force', 'also boxes that are up')
    .action((targets: string[], { force = false }: { force?: boolean }) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const { runtime, signal } = session
          const box = await boxOf(runtime, target)
          await runtime.remove(target, { force, signal })
          return box.info()
        }),
      ),
    )
}
