import { Patience } from '../../api/socket/patience.ts'
import { BoxError, BoxRuntime, type OpenOptions } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { openOptionsOf } from '../session.ts'

/** How long another owner may take to end before this one gives up, in `ms`: commands are owners for moments. */
const patienceMs = 10_000

export function addServe({ program, alone }: Cli): void {
  program
    .command('serve')
    .description('own the home in the foreground, until SIGINT or SIGTERM; boxes run on after it')
    .action(() =>
      alone(async ({ home, json, output, signal }) => {
        await using runtime = await ownHome(openOptionsOf({ home, json }, output), signal)
        if (runtime === undefined) return
        const boxes = (await runtime.listInfo()).length
        const ready = { pid: process.pid, boxes }
        await (json ? output.row(ready) : output.line(`serving ${boxes} ${boxes === 1 ? 'box' : 'boxes'}`))
        await ended(signal)
      }),
    )
}

async function ownHome(options: OpenOptions, signal: AbortSignal): Promise<BoxRuntime | undefined> {
  const patience = new Patience(patienceMs)
  while (!signal.aborted)
    try {
      return await BoxRuntime.open(options)
    } catch (error) {
      if (!BoxError.is(error, 'ENGINE_LOCKED') || patience.isOver) throw error
      patience.refused(error)
      await patience.pause()
    }
  return undefined
}

/** Holds the process until it is to end. */
function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const alive = setInterval(() => {}, 0x7fffffff)
    const end = () => {
      clearInterval(alive)
      resolve()
    }
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
  })
}
