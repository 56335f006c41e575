import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { schema } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { fileOf, ledgersDir, linesIn, readGolden, valuesIn, version } from './golden.ts'

const test = suite('golden ledgers')

const releases = readdirSync(ledgersDir, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && existsSync(fileOf(entry.name, 'export.ndjson')))
  .map(({ name }) => name)

/** What a newer release has beside it is its own. */
function assertHas(found: unknown, expected: unknown, what: string): void {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) {
    assert.equal(found, expected, what)
    return
  }
  for (const [key, value] of Object.entries(expected))
    assertHas((found as Record<string, unknown> | undefined)?.[key], value, `${what}.${key}`)
}

test('this release has one, with every type of event that there is', () => {
  assert.ok(releases.includes(version), `npm run golden makes that of ${version}`)
  const types = new Set(
    linesIn(fileOf(version, 'export.ndjson')).map(line => JSON.parse(line).event?.type as string | undefined),
  )
  const missing = Object.keys(schema.versions).filter(type => !types.has(type))
  assert.equal(missing, [])
})

for (const release of releases)
  test(`that of ${release} is read as it was meant, and stays what it is`, () =>
    withTempDir(async dir => {
      const lines = linesIn(fileOf(release, 'export.ndjson'))
      const { infos, removed, problems, lines: again } = await readGolden(join(dir, 'home'), lines)
      assert.equal(problems, [])
      const expected = valuesIn<{ id: string }>(fileOf(release, 'infos.ndjson'))
      assert.equal(
        infos.map(({ id }) => id),
        expected.map(({ id }) => id),
      )
      for (const [n, info] of expected.entries()) assertHas(infos[n], info, info.id)
      const gone = valuesIn<{ box: string; lastEvent: string; version: number }>(
        fileOf(release, 'removed.ndjson'),
      )
      assert.ok(gone.length > 0)
      for (const [n, { box, version, lastEvent }] of gone.entries())
        assertHas(removed[n], { box, version, lastEvent }, box)
      assert.equal(again, lines)
    }))

test.run()
