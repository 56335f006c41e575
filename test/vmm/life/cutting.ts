import { statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { eventually } from '../../support/eventually.ts'
import type { Test } from '../../support/suite.ts'
import type { Loop } from './loop.ts'
import type { TestedVmm } from './vmms.ts'
import { guest, runDir, saidOnConsole, withClient, withLoop } from './with-loop.ts'

/** Cuts a file as the driver does when it is too long. */
function cut(loop: Loop, name: string): number {
  const path = join(runDir(loop), name)
  const { size } = statSync(path)
  writeFileSync(`${path}.cut-${size}`, '')
  truncateSync(path)
  return size
}

export function testCutting(test: Test, { choice: vmm, register }: TestedVmm): void {
  register(test, 'a VMM writes on where it was, whatever was cut off: serial output', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      await saidOnConsole(loop, 'tick 3')
      const path = join(runDir(loop), 'serial.log')
      const size = cut(loop, 'serial.log')
      await eventually(() => statSync(path).size > size, { what: 'more of it' })
      const text = await saidOnConsole(loop, 'tick ')
      assert.match(text, /\[boxledger: some of the output was not kept\]/)
      assert.not.ok(text.includes('\0'), 'the hole is no content')
      assert.not.ok(text.includes('hello'), 'what was cut off is gone')
    })
  })

  register(test, 'a VMM writes on where it was, whatever was cut off: events', async () => {
    await withLoop({ vmm, spec: guest('tick') }, async loop => {
      await loop.start()
      let made = 0
      const change = async (call: 'vm.pause' | 'vm.resume') => {
        await withClient(loop, client => client.act(call))
        made++
      }
      const told = () => loop.count('vm.paused') + loop.count('vm.resumed')
      for (let round = 1; round <= 2; round++) {
        for (const call of ['vm.pause', 'vm.resume'] as const) {
          await change(call)
          await loop.until(() => told() === made, `${call} ${made}`)
          assert.ok(loop.state.context.eventOffset <= cut(loop, 'events'))
        }
        // A later engine goes on behind the cut, and what was told is not told again.
        loop.die()
        await change('vm.pause')
        if (round === 1) await change('vm.resume')
        loop.revive()
        await loop.until(() => loop.count('vmm.adopted') === round, 'the adoption')
        assert.is(told(), made)
      }
      assert.is(loop.public, 'paused')
    })
  })
}
