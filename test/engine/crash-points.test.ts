// @timeout 420
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { withTempDir } from '../support/tmp.ts'
import { recoverAndCheck } from './crash/recover.ts'
import { runChild } from './crash/run-child.ts'

const test = suite('engine: killed at each boundary')

for (const scenario of ['start', 'stop'] as const)
  test(`of ${scenario}`, async () => {
    const all = await withTempDir(async home => {
      const outcome = await runChild(home, scenario, 0)
      assert.ok(outcome.done)
      await recoverAndCheck(home, outcome.acknowledged, `${scenario}, not killed`)
      return outcome.boundaries
    })
    assert.ok(all.length > 10, 'there are boundaries')
    const covered = new Set<string>()
    for (let at = 1; at <= all.length; at += 1)
      await withTempDir(async home => {
        const { boundaries, acknowledged, signal } = await runChild(home, scenario, at)
        const name = boundaries.at(-1) as string
        assert.is(signal, 'SIGKILL', `it died at boundary ${at}`)
        assert.is(boundaries.length, at)
        await recoverAndCheck(home, acknowledged, `${scenario}, killed at ${at}, ${name}`)
        covered.add(name)
      })
    const wanted = new Set(all)
    console.log(
      `boundaries of ${scenario}: killed at ${all.length} of ${all.length} moments, ${covered.size} of ${wanted.size} names`,
    )
    assert.equal(
      [...wanted].filter(name => !covered.has(name)),
      [],
    )
  })

test.run()
