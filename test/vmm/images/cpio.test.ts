import { spawnSync } from 'node:child_process'
import * as assert from 'uvu/assert'
import { type CpioEntry, cpioBlock, writeCpio } from '../../../src/vmm/images/cpio.ts'
import { findOnPath } from '../../support/requires.ts'
import { suite } from '../../support/suite.ts'
import { readCpio } from './read-cpio.ts'

const cpio = suite('cpio')

const entries: CpioEntry[] = [
  { type: 'directory', path: 'tmp', mode: 0o1777 },
  { type: 'characterDevice', path: 'dev/null', mode: 0o666, device: [1, 3] },
  { type: 'file', path: 'a/b/ünï code.txt', data: Buffer.from('\0\xff odd length', 'latin1') },
  { type: 'file', path: 'empty', mode: 0o600, data: Buffer.alloc(0) },
  { type: 'link', path: 'a/link', target: '../empty' },
]

cpio('writes what a reader finds, parents before children', () => {
  const [found, ...more] = readCpio(writeCpio(entries))
  assert.is(more.length, 0)
  assert.equal(
    found?.map(entry => [entry.path, entry.mode.toString(8), entry.data.toString('latin1')]),
    [
      ['tmp', '41777', ''],
      ['dev', '40755', ''],
      ['dev/null', '20666', ''],
      ['a', '40755', ''],
      ['a/b', '40755', ''],
      ['a/b/ünï code.txt', '100644', '\0\xff odd length'],
      ['empty', '100600', ''],
      ['a/link', '120777', '../empty'],
    ],
  )
  assert.equal(found?.find(entry => entry.path === 'dev/null')?.device, [1, 3])
  assert.ok(found?.every(entry => entry.owner[0] === 0 && entry.owner[1] === 0))
})

cpio('archives can follow one another, and are the same each time', () => {
  const one = writeCpio(entries)
  assert.is(one.length % cpioBlock, 0)
  assert.is(readCpio(Buffer.concat([one, writeCpio([])])).length, 2)
  assert.ok(one.equals(writeCpio(entries)))
})

cpio('refuses paths that are not plain, and a path given twice', () => {
  for (const path of ['', '/etc', 'a//b', 'a/', '../a', 'a/./b', 'a\0b'])
    assert.throws(() => writeCpio([{ type: 'directory', path }]), /not a plain/)
  assert.throws(() => writeCpio([{ type: 'link', path: '.', target: 'a' }]), /not a plain/)
  assert.throws(() => writeCpio([...entries, ...entries]), /given twice/)
})

// Whichever the machine has; the reader above is there on all of them.
for (const [program, ...before] of [['cpio'], ['busybox', 'cpio']] as const) {
  if (findOnPath(program) === undefined) continue
  cpio(`${program} lists it`, () => {
    const listed = spawnSync(program, [...before, '-it'], { input: writeCpio(entries), encoding: 'utf8' })
    if (/applet not found/.test(listed.stderr)) return
    assert.is(listed.status, 0, listed.stderr)
    assert.equal(listed.stdout.trim().split('\n').length, 8)
  })
}

cpio.run()
