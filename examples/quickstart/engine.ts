// The engine as a process of its own, which the quickstart kills: opens the home, creates the box and starts it.
import { BoxRuntime } from 'boxledger'
import { type Boot, readBoot } from './boot.ts'

/** What it tells its parent. */
export type EngineMessage =
  | { readonly type: 'progress'; readonly message: string }
  | { readonly type: 'up'; readonly id: string; readonly pid: number; readonly boot: Boot }
  | { readonly type: 'failed'; readonly message: string; readonly details: unknown }

const tell = (message: EngineMessage) => process.send?.(message)
const [home = ''] = process.argv.slice(2)
/** The box's main command: says where it is, then stays until it is told to end. */
const script = 'uname -a; exec sleep 3600'

try {
  const runtime = await BoxRuntime.open({
    home,
    onProgress: message => tell({ type: 'progress', message }),
  })
  const box = await runtime.create({ name: 'hello', command: ['sh', '-c', script] })
  await box.start()
  const { id, pid = 0 } = await box.info()
  tell({ type: 'up', id, pid, boot: await readBoot(box) })
  // Nothing is closed and nothing put in order: SIGKILL is what comes next.
} catch (error) {
  const { message, details } = error as Error & { details?: unknown }
  tell({ type: 'failed', message, details })
}
