import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ArchiveReport, RepairReport, VerifyReport } from 'boxledger'
import * as assert from 'uvu/assert'
import { damage } from '../api/damage.ts'
import { suite } from '../support/suite.ts'
import { errorIn, withShell } from './boxledger.ts'

const test = suite('command: archive, compact, repair')

test('archive moves removed boxes, compact gives the space back, and the log reads on', () =>
  withShell(async ({ ok, json, run, home }) => {
    const id = (await ok('create', '--name', 'gone')).trim()
    await ok('create', '--name', 'lives')
    await ok('rm', 'gone')
    const log = await ok('log', id)
    assert.is(await ok('archive', '--before', '2020-01-01'), 'archived: 0 records of 0 removed boxes')
    assert.match(
      await ok('archive'),
      /^archive\/000001\.ndjson {3}\d+ records, [\d.]+ (bytes|KiB)\narchived: \d+ records of 1 removed box$/,
    )
    assert.match(await ok('compact'), /^compacted: [\d.]+ \w+ before, [\d.]+ \w+ now$/)
    assert.is(await ok('log', id), log)
    assert.equal((await json<ArchiveReport>('archive', '--before', '2099-12-31T23:59:59Z')).segments, [])
    assert.is((await run('archive', '--before', '2020-13-45')).code, 2)
    rmSync(join(home, 'archive', '000001.ndjson'))
    const verified = await run('verify')
    assert.is(verified.code, 5)
    assert.match(verified.stdout, /^segment \(archive\/000001\.ndjson\): .* is missing$/m)
  }))

test('repair writes a new home and says what is lost; the old one stays as it is', () =>
  withShell(async ({ ok, json, run, home }) => {
    const id = (await ok('create', '--name', 'bad')).trim()
    await ok('create', '--name', 'good')
    await damage(home, `b/${id}/`)
    rmSync(join(home, 'ledger', 'CURRENT'))
    const before = readdirSync(join(home, 'ledger'))
    assert.is((await run('ls')).code, 5)

    const target = `${home}-new`
    assert.is(
      await ok('repair', target),
      [
        'lost: position 1',
        `parked: ${id} at position 1: the body is lost`,
        `repaired into ${target}: 1 record, 2 boxes`,
      ].join('\n'),
    )
    assert.equal(readdirSync(join(home, 'ledger')), before)
    const again = await run('--json', 'repair', target)
    assert.is(again.code, 2)
    assert.is(errorIn(again).details.field, 'target')
    const report = await json<RepairReport>('repair', `${home}-2`)
    assert.equal([report.records, report.parked.map(({ box }) => box)], [1, [id]])
    const verified = await run('--home', target, '--json', 'verify')
    assert.is(verified.code, 5)
    const { problems } = JSON.parse(verified.stdout) as VerifyReport
    assert.equal(
      problems.map(({ kind, box }) => [kind, box]),
      [['parked', id]],
    )
    assert.is(await ok('--home', target, 'ls', '-aq').then(ids => ids.split('\n').length), 2)
    // The home goes with its test, and boxes of a home that does not open cannot be asked for.
    rmSync(home, { recursive: true })
  }))

test.run()
