import { Option } from 'commander'
import type { StopOptions } from '../../index.ts'
import type { Cli } from '../cli.ts'
import { seconds } from '../parse.ts'
import { boxOf, changeEach } from '../targets.ts'

interface StopFlags {
  readonly time?: number
  readonly force?: boolean
  readonly kill?: boolean
}

export function addStop({ program, onHome }: Cli): void {
  program
    .command('stop')
    .description('stop boxes: the power button first, then by force')
    .argument('<box...>')
    .option(
      '-t, --time <seconds>',
      'time for the guest to power off (default: 10, or what the box says)',
      seconds,
    )
    .option('--force', 'cut the power at once')
    .addOption(new Option('--kill', 'kill the VMM at once').conflicts('force'))
    .action((targets: string[], { time, force, kill }: StopFlags) =>
      onHome(session =>
        changeEach(session, targets, async target => {
          const box = await boxOf(session.runtime, target)
          const options: StopOptions = {
            signal: session.signal,
            mode: kill ? 'kill' : force ? 'force' : 'graceful',
            ...(time === undefined ? {} : { timeoutMs: time }),
          }
          await box.stop(options)
          return box.info()
        }),
      ),
    )
}
