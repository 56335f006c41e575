import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { consoleTail, type ReadConsoleOptions, readConsole, removeBoxFiles } from 'boxledger/vmm'
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

test('the last lines begin where they do, whatever there is', () =>
  withTempDir(async home => {
    const place = { home, box, incarnation: 1 }
    const tailOf = async (lines: number) => {
      const from = await consoleTail(place, 'guest', lines)
      return readFileSync(serialOf(home, 1), 'latin1').slice(from)
    }
    assert.is(await consoleTail(place, 'guest', 3), 0, 'of nothing')
    writeFileSync(serialOf(home, 1), '')
    assert.is(await tailOf(3), '')
    writeFileSync(serialOf(home, 1), 'one\r\ntwo\r\nthree\r\n')
    assert.equal(
      [await tailOf(0), await tailOf(1), await tailOf(2), await tailOf(3), await tailOf(9)],
      ['', 'three\r\n', 'two\r\nthree\r\n', 'one\r\ntwo\r\nthree\r\n', 'one\r\ntwo\r\nthree\r\n'],
    )
    appendFileSync(serialOf(home, 1), 'unfinished')
    assert.equal([await tailOf(1), await tailOf(2)], ['unfinished', 'three\r\nunfinished'])
    writeFileSync(serialOf(home, 1), '\n\n\n')
    assert.equal([await tailOf(1), await tailOf(2)], ['\n', '\n\n'])
    const many = Array.from({ length: 30_000 }, (_, n) => `line ${n}\n`)
    writeFileSync(serialOf(home, 1), many.join(''))
    for (const lines of [1, 100, 20_000, 29_999, 30_000, 30_001])
      assert.is(await tailOf(lines), many.slice(-lines).join(''))
  }))

test('of a file that was cut no line from before the cut is among the last', () =>
  withTempDir(async home => {
    const serial = serialOf(home, 1)
    writeFileSync(serial, Buffer.concat([Buffer.alloc(100), Buffer.from('after\n')]))
    writeFileSync(`${serial}.cut-100`, 'before\n')
    assert.is(await consoleTail({ home, box, incarnation: 1 }, 'guest', 5), 100)
    assert.is(await consoleTail({ home, box, incarnation: 1 }, 'command', 5), 0)
  }))

test.run()
