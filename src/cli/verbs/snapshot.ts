import type { SnapshotInfo } from '../../index.ts'
import { bytes as sizeWords } from '../amounts.ts'
import type { Cli } from '../cli.ts'
import { ageWords } from '../state-words.ts'
import { boxOf } from '../targets.ts'

const head = ['NAME', 'AGE', 'VERSION', 'SIZE', 'VMM']

export function addSnapshot({ program, onHome }: Cli): void {
  const snapshot = program
    .command('snapshot')
    .description('save boxes that are up, and go on from there later')
  snapshot
    .command('create')
    .description('save a box; prints the name of the snapshot')
    .argument('<box>')
    .argument('[name]', 'default: one that is made up')
    .action((target: string, name: string | undefined) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        const made = await box.snapshots.create(name, { signal })
        await (json ? output.value(made) : output.line(made.name))
      }),
    )
  snapshot
    .command('ls')
    .aliases(['list'])
    .description('list the snapshots of a box, oldest first')
    .argument('<box>')
    .action((target: string) =>
      onHome(async ({ runtime, output, json }) => {
        const all = await (await boxOf(runtime, target)).snapshots.list()
        await (json ? output.value(all) : output.table(head, all.map(rowOf)))
      }),
    )
  snapshot
    .command('restore')
    .description('start a box that is down, and let it go on from a snapshot')
    .argument('<box>')
    .argument('<name>')
    .action((target: string, name: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        await box.snapshots.restore(name, { signal })
        await (json ? output.value(await box.info()) : output.line(target))
      }),
    )
  snapshot
    .command('rm')
    .description('delete a snapshot')
    .argument('<box>')
    .argument('<name>')
    .action((target: string, name: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const box = await boxOf(runtime, target)
        await box.snapshots.remove(name, { signal })
        await (json ? output.value(await box.snapshots.list()) : output.line(name))
      }),
    )
}

function rowOf({ name, at, version, bytes, vmm }: SnapshotInfo): string[] {
  return [name, ageWords(at, Date.now()), String(version), sizeWords(bytes), vmm]
}
