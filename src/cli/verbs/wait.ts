import type { Cli } from '../cli.ts'
import { exitCodeOfBox } from '../exit-code.ts'
import { boxOf, forEachTarget, tellDone } from '../targets.ts'

export function addWait({ program, onHome }: Cli): void {
  program
    .command('wait')
    .description("wait until boxes are down; prints and gives their commands' exit codes")
    .argument('<box...>')
    .action((targets: string[]) =>
      onHome(async session => {
        const { output, json, signal, runtime } = session
        const { done, exitCode } = await forEachTarget(session, targets, async target => {
          const box = await boxOf(runtime, target)
          return box.wait({ signal })
        })
        const codes = done.map(({ result }) => exitCodeOfBox(result))
        if (json) await tellDone(session, targets, done)
        else for (const code of codes) await output.line(String(code))
        if (exitCode !== 0 || targets.length === 1) return exitCode || codes[0]
        return codes.some(code => code !== 0) ? 1 : 0
      }),
    )
}
