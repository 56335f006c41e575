import { isDeepStrictEqual } from 'node:util'
import { hostInfo, type VmmFinding } from '../../index.ts'
import type { Cli } from '../cli.ts'

export function addInfo({ program, alone }: Cli): void {
  program
    .command('info')
    .description('version, home, and which VMM would run boxes here and why; needs no home')
    .action(() =>
      alone(async ({ home, json, output, signal }) => {
        const info = await hostInfo({ ...(home === undefined ? {} : { home }), signal })
        if (json) return output.value(info)
        const { linux, tiny } = info.vmm
        const rows: [string, string[]][] = [
          ['boxledger', [info.version]],
          ['Node', [`${info.node} on ${info.platform}`]],
          ['home', [info.home]],
          ...(isDeepStrictEqual(linux, tiny)
            ? [['VMM', words(linux)] as [string, string[]]]
            : [
                ['VMM for Linux', words(linux)] as [string, string[]],
                ['VMM for small kernels', words(tiny)] as [string, string[]],
              ]),
        ]
        const width = Math.max(...rows.map(([name]) => name.length))
        for (const [name, lines] of rows)
          for (const [n, line] of lines.entries())
            await output.line(`${(n === 0 ? name : '').padEnd(width)}   ${line}`)
      }),
    )
}

function words(found: VmmFinding): string[] {
  return 'problem' in found ? [`none: ${found.problem}`] : [found.command.join(' '), found.why]
}
