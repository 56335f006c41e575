import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorCodes } from 'boxledger'
import { type EndingCause, stateAfter } from 'boxledger/machines'
import { invariants } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'

const test = suite('docs: the pages')
const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFile(join(root, path), 'utf8')

async function pages(): Promise<string[]> {
  const names = await readdir(join(root, 'docs'))
  return ['README.md', 'CHANGELOG.md', ...names.map(name => `docs/${name}`)]
}

test('every link leads somewhere', async () => {
  for (const page of await pages())
    for (const [, link = ''] of (await read(page)).matchAll(/\]\(([^)#\s]+)[^)]*\)/g))
      if (!/^https?:/.test(link))
        assert.ok(existsSync(join(root, dirname(page), link)), `${page} links to ${link}`)
})

test('every page is linked from the README, and every file that is named is there', async () => {
  const readme = await read('README.md')
  for (const page of await pages()) {
    if (page.startsWith('docs/')) assert.ok(readme.includes(`](${page})`), `${page} is not in the README`)
    for (const [, file = ''] of (await read(page)).matchAll(/`((?:examples|test|src)\/[\w/.-]+)`/g))
      assert.ok(existsSync(join(root, file)), `${page} names ${file}`)
  }
})

test("code in docs/ is a tested file's, word for word", async () => {
  const lines = (text: string) => text.split('\n').map(line => line.trim())
  const flat = (text: string) => lines(text).join('\n').trim()
  let snippets = 0
  for (const page of (await pages()).filter(name => name.startsWith('docs/'))) {
    let source = ''
    const parts = (await read(page)).matchAll(
      /[Ff]rom\s`((?:examples|test)\/[^`]+)`|```(?:ts|console)\n([\s\S]*?)```/g,
    )
    for (const [, named, code] of parts) {
      if (named !== undefined) source = named
      if (code === undefined) continue
      snippets += 1
      assert.ok(source, `${page} does not say where its code is from`)
      assert.ok(flat(await read(source)).includes(flat(code)), `${page} has code that is not in ${source}`)
    }
  }
  assert.ok(snippets > 4)
})

test('the tables have what there is: verbs, endings, states, codes', async () => {
  const command = await read('docs/command.md')
  for (const file of await readdir(join(root, 'src/cli/verbs'))) {
    const verb = file.replace(/\.ts$/, '')
    assert.match(command, new RegExp(`\`[^\n]*\\b${verb}\\b`), `docs/command.md lacks ${verb}`)
  }
  const lifecycle = await read('docs/lifecycle.md')
  const causes = [...lifecycle.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| `(stopped|crashed|failed)` \|$/gm)]
  assert.is(causes.length, 10)
  for (const [, cause, state] of causes) assert.is(stateAfter(cause as EndingCause), state, cause)
  const testing = await read('docs/testing.md')
  for (const [name, meaning] of Object.entries(invariants))
    assert.ok(testing.includes(`| \`${name}\` | ${meaning} |`), name)
  const library = await read('docs/library.md')
  for (const code of Object.keys(errorCodes)) assert.ok(library.includes(`\`${code}\``), code)
  for (const [, code = ''] of library.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) assert.ok(code in errorCodes, code)
  const rows = [...library.matchAll(/^\| (?:what you asked|the [a-zA-Z ]+) \| ((?:`[A-Z_]+` ?)+) \|$/gm)]
  const told = rows.flatMap(([, codes = '']) => codes.match(/[A-Z_]+/g) ?? [])
  assert.equal(told.sort(), Object.keys(errorCodes).sort(), 'each code is in one row of the table of errors')
})

test.run()
