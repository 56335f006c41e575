import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import * as assert from 'uvu/assert'
import { readLogFile } from '../../src/store/check-files/log-file.ts'
import { writeLeftOutLogs } from '../../src/store/left-out-log.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('logs that LevelDB has left out')

/** Writes, each in a batch of its own; gives the database and the batches in its log. */
async function written(dir: string, writes: readonly (readonly [key: string, value: string])[]) {
  const db = new Level(dir)
  for (const [key, value] of writes) await db.put(key, value)
  const log = readdirSync(dir).find(name => name.endsWith('.log')) as string
  return { db, batches: readLogFile(readFileSync(join(dir, log))).records }
}

test('are written once more, in order, also where a later log has written over the end of an earlier one', () =>
  withTempDir(async dir => {
    const earlier = await written(join(dir, 'earlier'), [
      ['a', '1'],
      ['b', '1'],
    ])
    const later = await written(join(dir, 'later'), [['b', '2']])
    // As if only the later one had been read.
    await writeLeftOutLogs(later.db, [earlier.batches, later.batches])
    assert.equal([await later.db.get('a'), await later.db.get('b')], ['1', '2'])
    await earlier.db.close()
    await later.db.close()
  }))

test('that were read are left alone', () =>
  withTempDir(async dir => {
    const { db, batches } = await written(join(dir, 'db'), [['a', '1']])
    await db.put('b', '1')
    const before = readFileSync(join(dir, 'db', '000003.log'))
    await writeLeftOutLogs(db, [batches])
    assert.ok(readFileSync(join(dir, 'db', '000003.log')).equals(before))
    await db.close()
  }))

test.run()
