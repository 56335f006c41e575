import { readFile } from 'node:fs/promises'
import { boxMachine, crashPoints, crashSteps, executionMachine } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { crashPointsPage } from './crash-points-page.ts'

const test = suite('docs: crash points')
const committed = new URL('../../../docs/crash-points.md', import.meta.url)

test('docs/crash-points.md is what their list makes of it', async () => {
  const text = await readFile(committed, 'utf8')
  assert.ok(text === crashPointsPage(), 'docs/crash-points.md is stale: run `npm run docs` and commit it')
})

test('no point is there twice, and each event of the machine has its own', () => {
  assert.is(new Set(crashPoints).size, crashPoints.length)
  const steps: readonly string[] = crashSteps.map(({ step }) => step)
  for (const event of [...boxMachine.events, 'exec.started', ...executionMachine.events])
    if (!event.startsWith('xstate.')) assert.ok(steps.includes(`append ${event}`), event)
})

test.run()
