import * as assert from 'uvu/assert'
import { runTool } from '../../../src/vmm/images/host-tool.ts'
import { suite } from '../../support/suite.ts'
import { imageError } from './codes.ts'

const test = suite("the host's programs")

test('one that is missing is told with the package that brings it', async () => {
  const error = await imageError(() =>
    runTool({ command: 'no-such-program', args: [], package: 'e2fsprogs' }),
  )
  assert.is(error.code, 'UNSUPPORTED')
  assert.match(error.message, /`no-such-program` was not found\. On Debian: apt-get install e2fsprogs/)
  assert.equal(error.details, { command: 'no-such-program', package: 'e2fsprogs' })
})

test('one that fails is told with its last words, and what it was asked', async () => {
  const run = { command: 'sh', args: ['-c', 'echo no luck >&2; exit 3'], package: 'dash' }
  const error = await imageError(() => runTool(run))
  assert.is(error.code, 'BOOT_FAILED')
  assert.match(error.message, /exit code 3\nno luck/)
})

test.run()
