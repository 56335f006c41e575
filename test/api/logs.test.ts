// @timeout 60
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError } from 'boxledger'
import * as assert from 'uvu/assert'
import { plantImage } from '../examples/stand-in-image.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { ways } from './ways.ts'

async function textOf(output: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const bytes of output) parts.push(bytes)
  return Buffer.concat(parts).toString('latin1')
}

for (const way of ways) {
  const test = suite(`api: what is printed, ${way.name}`)

  test("the command's output apart from the guest's, and the last lines of either", () =>
    withTempDir(async dir => {
      const home = join(dir, 'home')
      mkdirSync(home, { mode: 0o700 })
      await plantImage(home)
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const box = await opened.runtime.create({ command: ['it'] })
      assert.is(await textOf(box.console({ of: 'command', tail: 3 })), '', 'before it ever ran')
      await box.start()
      try {
        const run = join(home, 'boxes', box.id, '1')
        // What a guest would print there.
        writeFileSync(join(run, 'command.log'), 'one\ntwo\nthree\n')
        assert.is(await textOf(box.console({ of: 'command' })), 'one\ntwo\nthree\n')
        assert.is(await textOf(box.console({ of: 'command', tail: 2 })), 'two\nthree\n')
        assert.is(await textOf(box.console({ of: 'command', tail: 0 })), '')
        const serial = readFileSync(join(run, 'serial.log'), 'latin1')
        assert.is(await textOf(box.console({ of: 'guest' })), serial)
        assert.is(await textOf(box.console({ tail: 1 })), `${serial.trimEnd().split('\n').at(-1)}\n`)

        let seen = ''
        for await (const bytes of box.console({ of: 'command', tail: 1, follow: true })) {
          seen += Buffer.from(bytes).toString('latin1')
          if (seen === 'three\n') appendFileSync(join(run, 'command.log'), 'four\n')
          if (seen === 'three\nfour\n') await box.stop({ mode: 'kill' })
        }
        assert.is(seen, 'three\nfour\n')
        for (const bad of [{ of: 'both' }, { tail: -1 }, { tail: 1.5 }, { tail: 'all' }]) {
          const error = await textOf(box.console(bad as never)).catch(error => error)
          assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), JSON.stringify(bad))
        }
      } finally {
        await box.stop({ mode: 'kill' })
      }
    }))

  test.run()
}
