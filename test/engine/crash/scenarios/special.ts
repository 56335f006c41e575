import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from '../../../support/eventually.ts'
import { instantVmm } from '../../../support/vmms.ts'
import { type Scenario, small, started } from '../scenario.ts'

const tenMinutes = 600_000

/** More than a file may have, in `bytes`. */
export const grownTo = 17 << 20
export const lastWords = 'the last words of a long speech\n'

/** What single rows of the table of crashes need; they come to no points of their own. */
export const special: Readonly<Record<string, Scenario>> = {
  'a slow boot': {
    async run({ runtime, begin }) {
      begin()
      await started(runtime, small('idle', 'slow:vm.boot,ms=1500'))
    },
  },
  'a slow power cut': {
    async run({ runtime, begin }) {
      const box = await started(runtime, small('idle', 'slow:vm.shutdown,ms=1500'))
      begin()
      await box.stop({ mode: 'force' })
    },
  },
  'a start of long ago': {
    behindMs: tenMinutes,
    // Longer than a deadline that has passed is held back for anything but a start.
    vmm: () => [...instantVmm, '--fault', 'slow:vm.create,ms=2000'],
    async run({ runtime, begin }) {
      begin()
      await started(runtime)
    },
  },
  'a stop of long ago': {
    behindMs: tenMinutes,
    async run({ runtime, begin }) {
      const box = await started(runtime)
      begin()
      await box.stop({ timeoutMs: 30_000 })
    },
  },
  'several boxes': {
    async run({ runtime, begin }) {
      begin()
      await Promise.all(['one', 'two', 'three'].map(name => started(runtime, { ...small(), name })))
    },
  },
  'a console that grows': {
    async run({ home, runtime, begin }) {
      const box = await started(runtime)
      const path = join(home, 'boxes', box.id, '1', 'serial.log')
      // Then the guest says nothing more by itself.
      await eventually(() => readFileSync(path, 'latin1').includes('guest: idle'))
      begin()
      const file = openSync(path, 'r+')
      ftruncateSync(file, grownTo - lastWords.length)
      writeSync(file, lastWords, grownTo - lastWords.length)
      closeSync(file)
      await eventually(() => statSync(path).size === 0)
    },
  },
}
