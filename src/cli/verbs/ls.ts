import { basename } from 'node:path'
import type { BoxInfo } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { onceKnown } from '../settled.ts'
import { ageWords, stateWords } from '../state-words.ts'

interface LsFlags {
  readonly all?: boolean
  readonly quiet?: boolean
}

const head = ['ID', 'NAME', 'STATE', 'IMAGE', 'PID', 'AGE']
const down: ReadonlySet<string> = new Set<BoxInfo['state']>(['configured', 'stopped', 'crashed', 'failed'])

export function addLs({ program, onHome }: Cli): void {
  program
    .command('ls')
    .aliases(['list', 'ps'])
    .description('list boxes that are up or on their way, newest first')
    .option('-a, --all', 'all boxes')
    .option('-q, --quiet', 'IDs only')
    .action(({ all, quiet }: LsFlags) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const infos = await onceKnown(() => runtime.listInfo(), signal)
        // One that will be started again is on its way.
        const shown = infos.filter(info => all || !down.has(info.state) || info.restartAt !== undefined)
        if (json) await output.value(shown)
        else if (quiet) for (const { id } of shown) await output.line(id)
        else await output.table(head, shown.map(rowOf))
      }),
    )
}

function rowOf(info: BoxInfo): string[] {
  return [
    info.id.slice(0, 12),
    info.name ?? '-',
    stateWords(info),
    imageName(info.spec.image),
    String(info.pid ?? '-'),
    ageWords(info.createdAt, Date.now()),
  ]
}

function imageName(image: BoxInfo['spec']['image']): string {
  if (image === undefined) return 'builtin'
  return typeof image === 'string' ? image : basename(image.kernel)
}
