import { writeSync } from 'node:fs'
import { perform } from './perform.ts'
import type { Binary } from './scenario.ts'

/**
 * An engine that dies on order: `child.js HOME SCENARIO AT BINARY`. At the boundary AT, `POINT#TIME`, or the n-th of
 * all, `#N`, it kills itself. Says on its standard output which boundaries it has passed, and how boxes were when it was
 * told that something is done.
 */
const [home, name, at, binary] = process.argv.slice(2) as [string, string, string, string]
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

await perform(
  { home, name, binary: JSON.parse(binary) as Binary },
  {
    boundary(boundary, n) {
      say({ boundary })
      if (at === boundary || at === `#${n}`) process.kill(process.pid, 'SIGKILL')
    },
    answer: say,
  },
)
