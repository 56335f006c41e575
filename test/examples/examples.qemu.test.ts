// @timeout 300
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { qemuVmm } from '../support/vmms.ts'
import { testImages } from '../vmm/images/qemu-guest.ts'
import { runExample } from './run-example.ts'

const test = suite('examples on real guests')

const onQemu = (name: string, last: RegExp, input?: string) =>
  needsQemu(test, `${name} on a real guest`, () =>
    withTempDir(async home => {
      await mkdir(testImages(), { recursive: true, mode: 0o700 })
      await symlink(testImages(), join(home, 'images'))
      const { code, stdout, stderr } = await runExample(name, home, qemuVmm, {}, input)
      assert.is(code, 0, stderr)
      assert.match(stdout, last)
      assert.equal(vmmsOf(home), [])
    }),
  )

onQemu('hello', /started again: incarnation 2\n/)
onQemu('exec', /executions: 4\n/)
onQemu('crash-and-recover', /the same process: true\n/)
onQemu(
  'simple-box',
  /^from Linux, exit code 3\nwhat it wrote: what it reads\nrunning, with 2 commands run\n$/,
)
onQemu('interactive-box', /^Linux\nthe shell ended with 7; the box is still running\n$/, 'uname -s\nexit 7\n')
onQemu(
  'command.sh',
  new RegExp(
    [
      'Linux\nhi\nexit code 7\n#.*\nyou in /tmp\nit ticks\nbegun\nboxledger: ready\r?\nID .*\n\\w{12} +tour +running .*',
      '#.*\nTHERE AND BACK\n#.*\nthen\nNAME .*\nthen .*\nTHERE AND BACK\nit ticks on\nother has THERE AND BACK',
      '#.*\nkept-files\nNAME .*\nbuiltin .*\nkept-files +root +64\\.0 MiB .*\nkept-files\n$',
    ].join('\n'),
  ),
)
onQemu('reboot', /after 5 reboots: crashed, ending reboot-loop\n/)

test.run()
