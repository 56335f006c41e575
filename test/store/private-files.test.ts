import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import * as assert from 'uvu/assert'
import { keepPrivate } from '../../src/store/private-files.ts'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite("the database's files")

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('are hidden as they appear', () =>
  withTempDir(async dir => {
    const db = new Level(join(dir, 'db'))
    await db.open()
    keepPrivate(db, db.location)
    assert.is(modeOf(join(db.location, 'CURRENT')), 0o600)
    const added = join(db.location, 'new')
    writeFileSync(added, '', { mode: 0o644 })
    await eventually(() => modeOf(added) === 0o600)
    await db.close()
  }))

test('that cannot be listed just now fail nobody, neither at first nor when it is opened again', () =>
  withTempDir(async dir => {
    const db = new Level(join(dir, 'db'))
    await db.open()
    const gone = join(dir, 'gone')
    keepPrivate(db, gone)
    await db.close()
    await db.open()
    await db.close()
    rmSync(db.location, { recursive: true })
  }))

test.run()
