// @timeout 60
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'

const test = suite('api: where a home may be')
const open = (home: string) => BoxRuntime.open({ home, vmm: { binary: instantVmm } })
const modeOf = (path: string) => statSync(path).mode & 0o777

async function codeOf(opening: Promise<BoxRuntime>): Promise<string> {
  try {
    await (await opening).close()
    return 'done'
  } catch (error) {
    return BoxError.is(error) ? error.code : String(error)
  }
}

test('an existing directory is closed to others when it becomes a home', () =>
  withTempDir(async dir => {
    const home = join(dir, 'home')
    mkdirSync(home)
    chmodSync(home, 0o755)
    await (await open(home)).close()
    assert.is(modeOf(home), 0o700)
  }))

test('a directory that others use is refused, and left as it is', () =>
  withTempDir(async dir => {
    const home = join(dir, 'shared')
    mkdirSync(home)
    chmodSync(home, 0o755)
    writeFileSync(join(home, 'of-somebody'), '')
    assert.is(await codeOf(open(home)), 'INVALID_ARGUMENT')
    assert.is(modeOf(home), 0o755)
    assert.equal(readdirSync(home), ['of-somebody'])
  }))

test('where no home can be, it is said at once', () =>
  withTempDir(async dir => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    for (const home of [file, '/proc/boxledger-home'])
      assert.is(await codeOf(open(home)), 'INVALID_ARGUMENT', home)
    assert.is(await codeOf(BoxRuntime.connect({ home: file })), 'INVALID_ARGUMENT')
    assert.is(await codeOf(BoxRuntime.connect({ home: join(dir, 'none') })), 'NO_OWNER')
  }))

test.run()
