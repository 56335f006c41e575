// @timeout 600

import * as assert from 'uvu/assert'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { instantVmm } from '../support/vmms.ts'
import { inTwos } from './crash/kill.ts'
import { missing, rowCount, rows } from './crash/rows.ts'

const test = suite('engine: where it dies, row by row')

for (const { row, when, run } of rows) test(`row ${row}: the engine dies ${when}`, () => run(instantVmm))

needsCloudHypervisor(test, 'rows that need no faults, on cloud-hypervisor', () =>
  inTwos(
    rows.filter(({ real }) => real),
    ({ run }) => run('cloud-hypervisor'),
  ),
)

test('every row has a test, or is about what there is not', () => {
  for (const [row, what] of Object.entries(missing)) console.log(`row ${row}: there are no ${what}`)
  const told = [...rows.map(({ row }) => row), ...Object.keys(missing).map(Number)]
  assert.equal(
    [...new Set(told)].sort((a, b) => a - b),
    Array.from({ length: rowCount }, (_, n) => n + 1),
  )
})

test.run()
