import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { hashStretches } from '../../src/vmm/snapshots/hash.ts'
import { checkLinked, checkParts, isPart, keepPart, type Part } from '../../src/vmm/snapshots/parts.ts'
import { PieceFinder, type Pieces } from '../../src/vmm/snapshots/pieces.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'

const test = suite('vmm: the files of a snapshot')

const name = 'memory-ranges'
const { signal } = new AbortController()
const mib = 1 << 20

/** Writes some bytes in the middle of a file. */
function put(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

/** A memory of 16 MiB, most of which is empty, in a directory of its own. */
async function withMemory(body: (dir: string, path: string, part: Part) => Promise<void>): Promise<void> {
  await withTempDir(async dir => {
    const path = join(dir, name)
    writeFileSync(path, '')
    truncateSync(path, 16 * mib)
    put(path, 0, Buffer.alloc(4096, 'a'))
    put(path, 3 * mib + 4096, Buffer.alloc(mib, 'b'))
    put(path, 16 * mib - 4096, Buffer.alloc(4096, 'c'))
    await body(dir, path, await keepPart(dir, name, signal))
  })
}

const damageOf = (what: string) => new Error(what)
const outcomeOf = (dir: string, part: Part): Promise<string> =>
  checkParts(dir, damageOf as never, [part], signal).then(
    () => 'whole',
    (error: Error) => error.message,
  )
const altered = `${name} is not what was written`

test('a file is described so that it is known again', () =>
  withMemory(async (dir, _, part) => {
    assert.is(part.bytes, 16 * mib)
    assert.ok(isPart(JSON.parse(JSON.stringify(part))))
    assert.is(await outcomeOf(dir, part), 'whole')
  }))

/** Finds the pieces of a file that has something at these places, and takes so much room more than that. */
const piecesOf = (places: readonly (readonly [at: number, bytes: number])[], more: number) => {
  const finder = new PieceFinder()
  const bytes = Buffer.alloc(4 * mib)
  for (const [at, length] of places) bytes.fill('x', at, at + length)
  for (let at = 0; at < bytes.length; at += mib) finder.add(bytes.subarray(at, at + mib), at)
  const held = places.reduce((sum, [, length]) => sum + length, 0)
  return finder.finish(held + more, '')?.at
}

test('the pieces of a file are where it has something', () => {
  const granule = 65536
  assert.equal(piecesOf([], 0), [])
  assert.equal(piecesOf([[0, 4096]], 0), [[0, granule]])
  assert.equal(piecesOf([[mib - 4096, 8192]], 4096), [[mib - granule, 2 * granule]])
  assert.equal(
    piecesOf(
      [
        [3 * granule, granule],
        [2 * mib + 4096, 4096],
      ],
      8192,
    ),
    [
      [3 * granule, granule],
      [2 * mib, granule],
    ],
  )
  assert.is(piecesOf([[0, 4096]], 3 * 4096), undefined, 'there is room that something else takes')
})

test('what is in the pieces is read, and no more', () =>
  withMemory(async (_, path) => {
    const file = await open(path)
    let bytes = 0
    const counting = {
      read: async (...args: Parameters<typeof file.read>) => {
        const read = await file.read(...args)
        bytes += read.bytesRead
        return read
      },
    } as unknown as typeof file
    const at: Pieces['at'] = [
      [0, 65536],
      [3 * mib, mib + 65536],
    ]
    const sha256 = await hashStretches(counting, at, signal)
    await file.close()
    assert.is(bytes, mib + 2 * 65536)
    const whole = readFileSync(path)
    const wanted = Buffer.concat(at.map(([begin, length]) => whole.subarray(begin, begin + length)))
    assert.is(sha256, createHash('sha256').update(wanted).digest('hex'))
  }))

for (const [where, at] of [
  ['at the beginning', 17],
  ['within a piece', 3 * mib + 5000],
  ['in its last byte', 16 * mib - 1],
  ['in a hole', 9 * mib],
  ['in a hole beside a piece', mib * 4 + 8192],
] as const)
  test(`a byte that is changed ${where} is noticed`, () =>
    withMemory(async (dir, path, part) => {
      put(path, at, Buffer.from('x'))
      assert.is(await outcomeOf(dir, part), altered)
    }))

test('a piece that has become a hole is noticed, and one that is elsewhere now', () =>
  withMemory(async (dir, path, part) => {
    execFileSync('fallocate', ['--punch-hole', '--offset', '0', '--length', '4096', path])
    assert.is(await outcomeOf(dir, part), altered)
    put(path, 8192, Buffer.alloc(4096, 'a'))
    assert.is(await outcomeOf(dir, part), altered)
  }))

test('a file that is cut, or longer, or gone, is noticed', () =>
  withMemory(async (dir, path, part) => {
    truncateSync(path, 8 * mib)
    assert.is(await outcomeOf(dir, part), `${name} has ${8 * mib} bytes instead of ${16 * mib}`)
    truncateSync(path, 16 * mib)
    assert.is(await outcomeOf(dir, part), altered, 'its end is empty now')
    truncateSync(path, 17 * mib)
    assert.is(await outcomeOf(dir, part), `${name} has ${17 * mib} bytes instead of ${16 * mib}`)
    rmSync(path)
    assert.is(await outcomeOf(dir, part), `${name} is missing`)
  }))

test('a copy without holes is the same, and is read as a whole', () =>
  withMemory(async (dir, path, part) => {
    const copy = join(dir, 'copy')
    execFileSync('cp', ['--sparse=never', path, copy])
    renameSync(copy, path)
    assert.is(await outcomeOf(dir, part), 'whole')
    put(path, 9 * mib, Buffer.from('x'))
    assert.is(await outcomeOf(dir, part), altered)
  }))

test('what was linked is what was proved, or is proved anew', () =>
  withMemory(async (dir, path, part) => {
    const proved = await checkParts(dir, damageOf as never, [part], signal)
    await withTempDir(async run => {
      const linked = join(run, name)
      const check = () =>
        checkLinked(run, damageOf as never, [part], proved, signal).then(
          () => 'whole',
          (error: Error) => error.message,
        )
      linkSync(path, linked)
      assert.is(await check(), 'whole')
      rmSync(linked)
      copyFileSync(path, linked)
      assert.is(await check(), 'whole')
      // Another one, that has the number of one which was there before.
      rmSync(linked)
      writeFileSync(linked, Buffer.alloc(16 * mib, 'd'))
      assert.is(await check(), altered)
      put(linked, 17, Buffer.from('x'))
      assert.is(await check(), altered)
      assert.is(readFileSync(path)[17], 'a'.charCodeAt(0))
    })
  }))

test('what describes no pieces of a file is no part', () => {
  const part = { name, bytes: 10, sha256: '0'.repeat(64) }
  const pieces = { allocated: 0, at: [], sha256: '0'.repeat(64) }
  assert.ok(isPart({ ...part, pieces }))
  assert.ok(
    isPart({
      ...part,
      pieces: {
        ...pieces,
        at: [
          [0, 4],
          [4, 6],
        ],
      },
    }),
  )
  for (const wrong of [
    null,
    7,
    {},
    { ...pieces, allocated: '0' },
    { ...pieces, sha256: 'so what' },
    { ...pieces, at: {} },
    { ...pieces, at: [[0]] },
    { ...pieces, at: [[0, 0]] },
    { ...pieces, at: [[-1, 4]] },
    {
      ...pieces,
      at: [
        [0, 4],
        [3, 4],
      ],
    },
    { ...pieces, at: [[0, 0.5]] },
    { ...pieces, at: [[0, 11]] },
  ])
    assert.not(isPart({ ...part, pieces: wrong }), JSON.stringify(wrong))
})

test.run()
