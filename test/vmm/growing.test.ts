// @timeout 120
// @timeout-long 300
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { readConsole } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { cutLongFiles, keptBytes, lastCut, longestBytes } from '../../src/vmm/files/growing.ts'
import { type Piece, Tail, type TailOptions } from '../../src/vmm/files/tail.ts'
import { sized } from '../support/long.ts'
import { needsMount } from '../support/requires.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { withTmpfs } from '../support/tmpfs.ts'

const test = suite('files that grow')
const random = makeRandom(takeSeed())

const mib = 1 << 20
const lineBytes = 16
const linesAt = (offset: number, length: number): Buffer => {
  const first = offset / lineBytes
  const lines = Array.from(
    { length: length / lineBytes },
    (_, n) => `${String(first + n).padStart(lineBytes - 1, '0')}\n`,
  )
  return Buffer.from(lines.join(''))
}

/** Writes as a VMM does: on and on from where it was, whatever is done to the file. What is at a place says which place that is. */
class Writer implements AsyncDisposable {
  readonly #file: FileHandle
  at = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async of(path: string): Promise<Writer> {
    return new Writer(await open(path, 'w'))
  }

  async write(bytes: number): Promise<void> {
    for (let end = this.at + bytes; this.at < end; ) {
      const block = linesAt(this.at, Math.min(end - this.at, mib / 4))
      await this.#file.write(block, 0, block.length, this.at)
      this.at += block.length
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close()
  }
}

/** What was read of a file, held against what was written there. */
class Reading {
  readonly #tail: Tail
  at = 0
  missed = 0
  gaps = 0

  constructor(path: string, options: TailOptions = {}) {
    this.#tail = new Tail(path, options)
  }

  async read(): Promise<void> {
    for await (const piece of this.#tail.read()) this.#take(piece)
  }

  #take({ bytes, at, missed, restarted }: Piece): void {
    assert.not(restarted)
    assert.is(at, this.at + missed, 'it goes on where it was, or says how much it missed')
    const first = Math.ceil(at / lineBytes) * lineBytes
    const whole = Math.floor((at + bytes.length - first) / lineBytes) * lineBytes
    if (whole > 0)
      assert.ok(
        bytes.subarray(first - at, first - at + whole).equals(linesAt(first, whole)),
        `what is read at ${at}`,
      )
    this.at = at + bytes.length
    this.missed += missed
    if (missed > 0) this.gaps++
  }
}

const onDisk = (dir: string): number =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).blocks * 512, 0)

test('cut while they are written to and read: little room, true offsets, and nothing read that was not written', () =>
  withTempDir(async dir => {
    const path = join(dir, 'serial.log')
    await using writer = await Writer.of(path)
    const eager = new Reading(path)
    const picky = new Reading(path, { most: mib })
    const total = sized(100, 1_000) * mib
    let written = false
    let over = false
    let most = 0
    const cutting = (async () => {
      for (; !written; await sleep(random.below(20))) {
        await cutLongFiles([{ path }])
        most = Math.max(most, onDisk(dir))
      }
    })()
    const reading = [eager, picky].map(async each => {
      for (; !over; await turn()) await each.read()
      await each.read()
    })
    while (writer.at < total) {
      await writer.write(lineBytes * (1 + random.below(1 << 17)))
      if (random.below(4) === 0) await sleep(random.below(10))
    }
    written = true
    await cutting
    // What was written in the moment of a cut is lost, and shows when something comes after it.
    await writer.write(lineBytes)
    over = true
    await Promise.all(reading)
    for (const { at } of [eager, picky]) assert.is(at, writer.at)
    const cut = lastCut(path)
    assert.ok(cut && cut.offset > longestBytes)
    assert.is(readdirSync(dir).length, 2, 'one file, and one end of what was cut off')
    assert.ok(eager.missed < writer.at && picky.missed < writer.at)
    process.stdout.write(
      `\nat most ${most >> 20} MiB for ${total >> 20} MiB; missed ${eager.missed} in ${eager.gaps} gaps, ${picky.missed} in ${picky.gaps}\n`,
    )
    assert.ok(most < 4 * longestBytes, `${most} bytes on the disk`)
  }))

const box = 'abcdefghijkl'
const gap = '\r\n[boxledger: some of the output was not kept]\r\n'

const withSerial = (body: (home: string, path: string, writer: Writer) => Promise<void>): Promise<void> =>
  withTempDir(async home => {
    const dir = join(home, 'boxes', box, '1')
    mkdirSync(dir, { recursive: true })
    const path = join(dir, 'serial.log')
    await using writer = await Writer.of(path)
    await body(home, path, writer)
  })

const textOf = async (home: string): Promise<string> => {
  const pieces: Uint8Array[] = []
  for await (const piece of readConsole({ home, box })) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

const places = (text: string): number[] =>
  (text.match(/^\d{15}$/gm) ?? []).map(line => Number(line) * lineBytes)

test('a console says where it has a gap, and has none otherwise', () =>
  withSerial(async (home, path, writer) => {
    await writer.write(longestBytes)
    await cutLongFiles([{ path }])
    assert.is((await textOf(home)).length, longestBytes, 'as much is kept')
    await writer.write(lineBytes)
    await cutLongFiles([{ path }])
    assert.is(statSync(path).size, 0)
    for (const more of [0, lineBytes, mib]) {
      await writer.write(more)
      const text = await textOf(home)
      assert.ok(text.startsWith(gap), 'the beginning is gone')
      assert.is(text.split(gap).length, 2, 'and nothing else')
      assert.equal(places(text).length * lineBytes, text.length - gap.length)
      assert.is(places(text).at(-1), writer.at - lineBytes)
      assert.is(writer.at - (places(text)[0] ?? 0) - (writer.at - longestBytes - lineBytes), keptBytes)
    }
  }))

test('a console that is cut while it is read has its end', () =>
  withSerial(async (home, path, writer) => {
    await writer.write(longestBytes + lineBytes)
    let text = ''
    for await (const bytes of readConsole({ home, box })) {
      text += Buffer.from(bytes).toString('latin1')
      if (statSync(path).size > 0) await cutLongFiles([{ path }])
    }
    const [before = '', after = ''] = text.split(gap)
    assert.is(places(before)[0], 0)
    assert.is(places(after).at(-1), writer.at - lineBytes)
    assert.is(after.length, keptBytes)
  }))

test('a console that is followed over cuts: each line once, in order, or a gap', () =>
  withSerial(async (home, path, writer) => {
    const stop = new AbortController()
    let text = ''
    let slow = false
    const following = (async () => {
      for await (const bytes of readConsole({ home, box, follow: true, signal: stop.signal })) {
        text += Buffer.from(bytes).toString('latin1')
        if (slow) await sleep(1)
      }
    })()
    for (let n = 0; n < 6; n++) {
      slow = n % 2 === 1
      await writer.write(random.below(12) * mib + lineBytes)
      await cutLongFiles([{ path }])
    }
    stop.abort()
    await following
    let before = -lineBytes
    for (const part of text.split(gap)) {
      const seen = places(`\n${part}`)
      for (const [n, place] of seen.entries()) {
        assert.ok(n === 0 ? place > before : place === before + lineBytes, `${place} after ${before}`)
        before = place
      }
    }
    assert.is(before, writer.at - lineBytes, 'the end is there')
  }))

test('what is begun anew by a reboot is no gap', () =>
  withSerial(async (home, path, writer) => {
    await writer.write(longestBytes + mib)
    await cutLongFiles([{ path }])
    writeFileSync(path, 'again\n')
    assert.is(await textOf(home), 'again\n')
  }))

test('a hole that is filled, a size that is a lie, a link, a directory in the way: cut, or left alone', () =>
  withTempDir(async dir => {
    const outside = join(dir, 'outside')
    writeFileSync(outside, Buffer.alloc(longestBytes + 1, 'x'))
    const run = join(dir, 'run')
    mkdirSync(run)
    const path = join(run, 'serial.log')
    const file = await open(path, 'w')
    try {
      await file.truncate(2 ** 40)
      assert.is((await cutLongFiles([{ path }])).get(path), 2 ** 40)
      await file.truncate(2 ** 40)
      const block = Buffer.alloc(mib, 'x')
      for (let n = 0; n < 100; n++) await file.write(block, 0, mib, n * mib)
      await file.sync()
      await cutLongFiles([{ path }])
      assert.ok(onDisk(run) < longestBytes, 'the hole was filled, and is empty again')
    } finally {
      await file.close()
    }
    rmSync(path)
    symlinkSync(outside, path)
    assert.is((await cutLongFiles([{ path }])).size, 0)
    assert.is(statSync(outside).size, longestBytes + 1)
    rmSync(path)
    mkdirSync(path)
    writeFileSync(join(run, 'err'), Buffer.alloc(longestBytes + 1, 'x'))
    mkdirSync(join(run, 'err.cut'))
    symlinkSync('/nowhere', join(run, 'err.cut-7'))
    symlinkSync('/nowhere', join(run, 'err.cut-8'))
    const cut = await cutLongFiles([{ path }, { path: join(run, 'err'), appended: true }])
    assert.equal([...cut.values()], [longestBytes + 1], 'what cannot be cut keeps nothing else from it')
    assert.ok(existsSync(join(run, `err.cut-${longestBytes + 1}`)))
  }))

needsMount(test, 'a full disk is cut too: nothing is kept then, and there is room again', () =>
  withTmpfs(longestBytes / mib + 1, async ({ dir }) => {
    const path = join(dir, 'serial.log')
    await using writer = await Writer.of(path)
    const reading = new Reading(path)
    // The last of it finds no room.
    await writer.write(2 * longestBytes).catch(({ code }) => assert.is(code, 'ENOSPC'))
    await reading.read()
    const { size } = statSync(path)
    assert.is((await cutLongFiles([{ path }])).get(path), size)
    assert.ok(onDisk(dir) < mib)
    assert.is(statSync(`${path}.cut-${size}`).size, 0)
    await writer.write(mib)
    await reading.read()
    assert.equal([reading.at, reading.missed], [writer.at, 0], 'it is read on behind the hole')
  }),
)

test.run()
