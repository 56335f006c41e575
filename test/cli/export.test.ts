import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BoxInfo, ImportReport } from 'boxledger'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { errorIn, finish, shellOn, withShell } from './boxledger.ts'

const test = suite('command: export, import')

test('a ledger goes through a file into another home, and lives there', () =>
  withShell(({ ok, run, home }) =>
    withTempDir(async dir => {
      const id = (await ok('create', '--name', 'kept')).trim()
      await ok('create', '--name', 'gone')
      await ok('rm', 'gone')
      const file = join(dir, 'ledger.ndjson')
      writeFileSync(file, (await run('export')).stdout)
      const other = shellOn(join(dir, 'other'))
      assert.match(await other.ok('import', file), /^imported: \d+ records, 2 boxes\. It is history until/)
      assert.is((await other.run('export')).stdout, readFileSync(file, 'utf8'))
      assert.is(await other.ok('log'), await ok('log'))
      assert.match(await other.ok('verify', '--replay'), /^ledger verified/)
      assert.is((await other.run('rename', 'kept', 'new')).code, 4)
      const again = await other.run('import', file)
      assert.equal([again.code, /empty home/.test(again.stderr)], [4, true])
      await other.ok('adopt')
      await other.ok('rename', 'kept', 'new')
      assert.is((await other.json<BoxInfo[]>('ls', '-a'))[0]?.name, 'new')

      const alone = shellOn(join(dir, 'alone'))
      writeFileSync(file, (await run('export', '--box', 'kept')).stdout)
      const importing = alone.start('--json', 'import', '-')
      importing.stdin?.end(readFileSync(file))
      const { code, stdout } = await finish(importing)
      const report = JSON.parse(stdout) as ImportReport
      assert.equal([code, report.box, report.boxes], [0, id, 1])
      assert.is((await alone.run('export', '--box', 'kept')).stdout, readFileSync(file, 'utf8'))
      assert.is((await run('export', '--box', 'nobody')).code, 3)
      assert.ok(existsSync(home))
    }),
  ))

test('a byte that was changed in the file is found and named', () =>
  withShell(({ ok, run }) =>
    withTempDir(async dir => {
      await ok('create', '--name', 'kept', '--label', 'what=ü')
      await ok('rename', 'kept', 'other')
      const bytes = Buffer.from((await run('export')).stdout)
      const file = join(dir, 'ledger.ndjson')
      const other = shellOn(join(dir, 'other'))
      const lineOf = (at: number) => bytes.subarray(0, at).filter(byte => byte === 10).length + 1
      // A step that comes to every line, to ends of lines and into characters of two bytes.
      const places = [bytes.indexOf('ü') + 1, bytes.indexOf(10), bytes.lastIndexOf(10, -2), bytes.length - 2]
      for (let at = 3; at < bytes.length; at += 211) places.push(at)
      for (const at of places)
        for (const mask of [1, 128]) {
          const changed = Buffer.from(bytes)
          changed.writeUInt8(changed.readUInt8(at) ^ mask, at)
          writeFileSync(file, changed)
          const result = await other.run('--json', 'import', file)
          const { code, details } = errorIn(result)
          const what = `byte ${at} of line ${lineOf(at)}`
          assert.equal([result.code, code], [5, 'LEDGER_CORRUPT'], what)
          assert.is(details.line, lineOf(at), what)
        }
      writeFileSync(file, bytes.subarray(0, -40))
      assert.is((await other.run('import', file)).code, 5)
      assert.is((await other.run('import', join(dir, 'nothing'))).code, 2)
      writeFileSync(file, bytes)
      assert.is((await other.run('import', file)).code, 0)
    }),
  ))

test.run()
