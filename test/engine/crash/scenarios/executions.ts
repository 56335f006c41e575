import { existsSync, readFileSync } from 'node:fs'
import { BoxError } from 'boxledger'
import { eventually } from '../../../support/eventually.ts'
import { type Scenario, small, started } from '../scenario.ts'

/** To which every command that has run adds a line. */
export const traceOf = (home: string): string => `${home}.ran`

/** How many commands have run. */
export function ranIn(home: string): number {
  const path = traceOf(home)
  return existsSync(path) ? readFileSync(path, 'latin1').split('\n').length - 1 : 0
}

/** Commands that run in boxes: one that ends, and one whose box does. */
export const executions: Readonly<Record<string, Scenario>> = {
  executions: {
    hasAgent: true,
    async run({ home, runtime, begin, acknowledge }) {
      const options = small()
      const box = await started(runtime, {
        ...options,
        image: { ...(options.image as object), agent: true } as never,
        ready: 'vmm',
      })
      begin()
      const script = 'echo ran >> "$0"'
      await box.exec('sh', ['-c', script, traceOf(home)])
      await acknowledge(box)
      const lost = box.exec('sh', ['-c', `${script}; exec sleep 1000`, traceOf(home)])
      const told = lost.wait().then(
        () => false,
        error => BoxError.is(error, 'EXEC_LOST'),
      )
      await eventually(() => ranIn(home) === 2)
      await box.stop({ mode: 'kill' })
      if (!(await told)) throw new Error('It was not lost')
    },
  },
}
