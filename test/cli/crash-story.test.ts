import { readFileSync } from 'node:fs'
import { split } from 'shlex'
import * as assert from 'uvu/assert'
import { crashStory } from '../support/crash-story.ts'
import { suite } from '../support/suite.ts'
import { type Shell, withShell } from './boxledger.ts'

const test = suite('command: the story of a box that crashed twice')

/** A transcript: commands after `$ boxledger`, and what they answer. */
const transcript = readFileSync(new URL('../../../test/cli/crash-story.txt', import.meta.url), 'utf8')

/** What differs from one run to the next stands as a word for it. */
function plain(text: string, id: string): string {
  return text
    .replaceAll(id, 'ID')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replace(/pid \d+/g, 'pid N')
    .replace(/"pid":\d+,"startTime":"\d+","bootId":"[^"]+","pidNamespace":"\d+"/g, '"pid":N')
    .replace(/"(at|askedAt)":\d+/g, '"$1":N')
    .replace(/,"logTail":"[^"]*"/g, '')
    .replace(/[^\s"]+guest\.elf/g, 'guest.elf')
}

async function answered({ run }: Shell, line: string, id: string): Promise<string> {
  const { stdout, stderr } = await run(...split(line.replaceAll('ID', id)))
  return `$ boxledger ${line}\n${plain(stdout + stderr, id)}`
}

test('log, show, diff, why, explain and fork tell it as it was', () =>
  withShell(async shell => {
    const id = await crashStory(shell.home)
    const lines = transcript.split('\n').flatMap(line => /^\$ boxledger (.*)/.exec(line)?.[1] ?? [])
    assert.ok(lines.length > 0)
    const told: string[] = []
    for (const line of lines) told.push(await answered(shell, line, id))
    assert.fixture(told.join('\n'), transcript)
    assert.is((await shell.ok('verify', '--replay')).startsWith('ledger verified: 30 records'), true)
  }))

test.run()
