import { BoxError } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { boxOf } from '../targets.ts'

export function addCp({ program, onHome }: Cli): void {
  program
    .command('cp')
    .description('copy a file or a directory into a box or out of it; starts the box if it is not up')
    .argument('<from>', 'a path, or BOX:PATH')
    .argument('<to>', 'the other of the two; a directory takes what comes, else it gets that name')
    .action((from: string, to: string) =>
      onHome(async ({ runtime, output, json, signal }) => {
        const [source, target] = [placeOf(from), placeOf(to)]
        if ((source.box === undefined) === (target.box === undefined))
          throw new BoxError('INVALID_ARGUMENT', 'One of the two has to be in a box, as BOX:PATH')
        const box = await boxOf(runtime, source.box ?? target.box ?? '')
        if (source.box === undefined) await box.copyIn(source.path, target.path, { signal })
        else await box.copyOut(source.path, target.path, { signal })
        await (json ? output.value(await box.info()) : output.line(to))
      }),
    )
}

/** As with docker, what has a colon before any slash is in a box; a path of this machine can begin with ./ */
function placeOf(text: string): { readonly box?: string; readonly path: string } {
  const colon = text.indexOf(':')
  if (colon < 1 || text.slice(0, colon).includes('/')) return { path: text }
  return { box: text.slice(0, colon), path: text.slice(colon + 1) }
}
