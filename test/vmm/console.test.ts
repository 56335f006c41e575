import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ReadConsoleOptions, readConsole, removeBoxFiles } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('console')
const box = 'abcdefghijkl'

async function textOf(options: ReadConsoleOptions): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of readConsole(options)) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

function serialOf(home: string, incarnation: number): string {
  const dir = join(home, 'boxes', box, String(incarnation))
  mkdirSync(dir, { recursive: true })
  return join(dir, 'serial.log')
}

test('a box that never ran has printed nothing', async () => {
  await withTempDir(async home => {
    assert.is(await textOf({ home, box }), '')
    assert.is(await textOf({ home, box, incarnation: 3 }), '')
    serialOf(home, 1)
    assert.is(await textOf({ home, box }), '')
  })
})

test('the last incarnation is meant, or the one that is named', async () => {
  await withTempDir(async home => {
    for (const n of [2, 9, 10]) writeFileSync(serialOf(home, n), `run ${n}`)
    mkdirSync(join(home, 'boxes', box, 'disks'))
    assert.is(await textOf({ home, box }), 'run 10')
    assert.is(await textOf({ home, box, incarnation: 2 }), 'run 2')
  })
})

test('followed, it goes on with what comes, over a reboot, until the signal', async () => {
  await withTempDir(async home => {
    const serial = serialOf(home, 1)
    writeFileSync(serial, 'one ')
    const stop = new AbortController()
    let text = ''
    for await (const piece of readConsole({ home, box, follow: true, signal: stop.signal })) {
      text += Buffer.from(piece).toString('latin1')
      if (text === 'one ') setImmediate(() => appendFileSync(serial, 'two '))
      if (text === 'one two ') setImmediate(() => writeFileSync(serial, 'three'))
      if (text === 'one two three') stop.abort()
    }
    assert.is(text, 'one two three')
    assert.is(await textOf({ home, box, follow: true, signal: AbortSignal.abort() }), 'three')
  })
})

test('what came before the signal is read, though the signal comes while it is read', async () => {
  await withTempDir(async home => {
    const serial = serialOf(home, 1)
    writeFileSync(serial, 'one ')
    const stop = new AbortController()
    let text = ''
    for await (const piece of readConsole({ home, box, follow: true, signal: stop.signal })) {
      text += Buffer.from(piece).toString('latin1')
      if (stop.signal.aborted) continue
      appendFileSync(serial, 'two')
      stop.abort()
    }
    assert.is(text, 'one two')
  })
})

test('it begins before there is anything', async () => {
  await withTempDir(async home => {
    const serial = serialOf(home, 1)
    const stop = new AbortController()
    setTimeout(() => writeFileSync(serial, 'late'), 30)
    let text = ''
    for await (const piece of readConsole({ home, box, follow: true, signal: stop.signal })) {
      text += Buffer.from(piece).toString('latin1')
      if (text === 'late') stop.abort()
    }
    assert.is(text, 'late')
  })
})

test('files of a box are removed, also where there are none', async () => {
  await withTempDir(async home => {
    writeFileSync(serialOf(home, 1), 'x')
    await removeBoxFiles(home, box)
    await removeBoxFiles(home, box)
    assert.is(await textOf({ home, box }), '')
  })
})

test.run()
