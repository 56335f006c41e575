import type { Cli } from '../cli.ts'
import { onceKnown } from '../settled.ts'
import { boxOf, forEachTarget, tellDone } from '../targets.ts'

export function addInspect({ program, onHome }: Cli): void {
  program
    .command('inspect')
    .description('everything about boxes, as a JSON array')
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(async session => {
        const { runtime, signal } = session
        const { done, exitCode } = await forEachTarget(session, targets, async target => {
          const box = await boxOf(runtime, target)
          const [info] = await onceKnown(async () => [await box.info()] as const, signal)
          return info
        })
        await tellDone(session, targets, done)
        return exitCode
      }),
    )
}
