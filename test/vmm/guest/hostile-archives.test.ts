// @timeout 120
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Header } from 'tar'
import * as assert from 'uvu/assert'
import { finalPath, putInPlace } from '../../../src/vmm/guest/copy/place.ts'
import { unpackFromGuest } from '../../../src/vmm/guest/copy/unpack.ts'
import { sized } from '../../support/long.ts'
import { makeRandom, takeSeed } from '../../support/seed.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'

const test = suite('archives of a hostile guest')
const random = makeRandom(takeSeed())

type Entry = Readonly<{
  path: string
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'CharacterDevice' | 'FIFO'
  linkpath?: string
  mode?: number
  text?: string
}>

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])

function archiveOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath = '', mode = 0o644, text = '' }) => {
    const content = Buffer.from(text)
    const head = (fields: object) => {
      const block = Buffer.alloc(512)
      new Header({ mode, mtime: new Date(0), uid: 0, gid: 0, ...fields } as never).encode(block)
      return block
    }
    const long = [
      ['NextFileHasLongLinkpath', linkpath],
      ['NextFileHasLongPath', path],
    ] as const
    return [
      ...long.flatMap(([kind, value]) =>
        value.length <= 100
          ? []
          : [
              head({ path: '././@LongLink', type: kind, size: value.length + 1 }),
              padded(Buffer.from(`${value}\0`)),
            ],
      ),
      head({ path: path.slice(0, 100), linkpath: linkpath.slice(0, 100), type, size: content.length }),
      padded(content),
    ]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(4000)
    yield bytes.subarray(at, end)
    at = end
  }
}

/** Unpacks beside a file and a directory that nobody may touch; gives what went wrong. */
async function unpack(bytes: Buffer, look: (stage: string) => void = () => {}): Promise<string> {
  return await withTempDir(async dir => {
    const stage = join(dir, 'stage')
    mkdirSync(stage)
    mkdirSync(join(dir, 'other'))
    writeFileSync(join(dir, 'precious'), 'precious')
    const said = await unpackFromGuest(piecesOf(bytes), stage, 'it', () => {}).then(
      () => 'done',
      error => (error as Error).message,
    )
    assert.is(readFileSync(join(dir, 'precious'), 'utf8'), 'precious')
    assert.equal(readdirSync(dir).sort(), ['other', 'precious', 'stage'])
    assert.equal(readdirSync(join(dir, 'other')), [])
    assert.ok(readdirSync(stage).every(name => name === 'it'))
    look(stage)
    openAll(stage)
    return said
  })
}

/** So that whoever is not root can remove it. */
function openAll(path: string): void {
  if (!lstatSync(path).isDirectory()) return
  chmodSync(path, 0o700)
  for (const name of readdirSync(path)) openAll(join(path, name))
}

const dir: Entry = { path: './it/', type: 'Directory', mode: 0o755 }

test('what leads out of it, or is not of it, is refused', async () => {
  const bad: Record<string, readonly Entry[]> = {
    'another name': [{ path: './other' }],
    'up and out': [dir, { path: './it/../../precious', text: 'x' }],
    'an absolute path': [{ path: '/tmp/it', text: 'x' }],
    'an empty part': [dir, { path: './it//x' }],
    'a NUL': [dir, { path: './it/x\0a\n\0b' }],
    'a long path': [dir, { path: `./it/${'a'.repeat(5_000)}` }],
    'a hard link out': [dir, { path: './it/x', type: 'Link', linkpath: '../precious' }],
    'a hard link to itself': [dir, { path: './it/x', type: 'Link', linkpath: './it/x' }],
    'a hard link to its directory': [dir, { path: './it/x', type: 'Link', linkpath: './it' }],
    'a file below a link': [
      dir,
      { path: './it/l', type: 'SymbolicLink', linkpath: '../../other' },
      { path: './it/l/x', text: 'x' },
    ],
    'a link below a link': [
      dir,
      { path: './it/l', type: 'SymbolicLink', linkpath: '../../other' },
      { path: './it/l/x', type: 'SymbolicLink', linkpath: 'x' },
    ],
    'a directory below a link': [
      dir,
      { path: './it/l', type: 'SymbolicLink', linkpath: '../../other' },
      { path: './it/l/x/', type: 'Directory' },
    ],
    'a file twice': [dir, { path: './it/x' }, { path: './it/x', text: 'y' }],
    'a link where a file is': [
      dir,
      { path: './it/x' },
      { path: './it/x', type: 'SymbolicLink', linkpath: '/etc' },
    ],
    'a link twice': [
      dir,
      { path: './it/x', type: 'SymbolicLink', linkpath: '/etc' },
      { path: './it/x', type: 'SymbolicLink', linkpath: '/usr' },
    ],
    'links without number': Array.from({ length: 20_000 }, (_, n) => ({
      ...{ path: `./it/${n}`, type: 'SymbolicLink' as const },
      linkpath: 'x'.repeat(4_000),
    })),
  }
  for (const [what, entries] of Object.entries(bad))
    assert.is.not(await unpack(archiveOf(entries)), 'done', what)
  assert.is.not(await unpack(gzipSync(archiveOf([dir]))), 'done', 'compressed')
  assert.is.not(await unpack(Buffer.alloc(4_096, 'no archive')), 'done', 'nonsense')
})

test('devices and pipes are passed over, set-user-ID bits are dropped, links lead where they lead', async () => {
  const good: readonly Entry[] = [
    dir,
    { path: './it/device', type: 'CharacterDevice' },
    { path: './it/pipe', type: 'FIFO' },
    { path: './it/program', mode: 0o6755, text: '#!' },
    { path: './it/link', type: 'SymbolicLink', linkpath: '/etc/passwd' },
  ]
  const said = await unpack(archiveOf(good), stage => {
    assert.equal(readdirSync(join(stage, 'it')).sort(), ['link', 'program'])
    assert.is(statSync(join(stage, 'it', 'program')).mode & 0o7777, 0o755)
  })
  assert.is(said, 'done')
})

test('one that is cut off, or of which any byte is another, ends, and does no harm', async () => {
  const whole = archiveOf([
    dir,
    { path: './it/a', text: 'a'.repeat(700) },
    { path: './it/sub/', type: 'Directory' },
    { path: './it/sub/b', type: 'Link', linkpath: './it/a' },
    { path: './it/sub/c', type: 'SymbolicLink', linkpath: '../a' },
  ])
  const seen = new Map<string, number>()
  const note = (said: string) => {
    const kind = said === 'done' ? 'done' : 'refused'
    seen.set(kind, (seen.get(kind) ?? 0) + 1)
  }
  for (let n = 0; n < sized(150, 2_000); n += 1) {
    note(await unpack(whole.subarray(0, random.below(whole.length))))
    const other = Buffer.from(whole)
    for (let times = 1 + random.below(3); times > 0; times -= 1)
      other[random.below(other.length)] = random.below(256)
    note(await unpack(other))
  }
  console.log(`hostile archives: ${[...seen].map(([what, count]) => `${what} ${count}`).join(', ')}`)
  assert.ok((seen.get('refused') ?? 0) > 0)
})

test('a header that is right says whatever it likes', async () => {
  const words = ['.', '..', 'it', 'a', '', 'it/a', '/', '\0', '\n', 'b'.repeat(99)]
  const kinds = ['File', 'Directory', 'SymbolicLink', 'Link', 'FIFO'] as const
  for (let n = 0; n < sized(150, 3_000); n += 1) {
    const path = () => Array.from({ length: 1 + random.below(4) }, () => random.pick(words)).join('/')
    const entries = Array.from({ length: 1 + random.below(6) }, () => ({
      ...{
        path: random.below(2) === 0 ? `./it/${path()}` : path(),
        type: random.pick(kinds),
        linkpath: path(),
      },
      ...{ mode: random.below(0o10000), text: 'x'.repeat(random.below(3) * 300) },
    }))
    await unpack(archiveOf([dir, ...entries]))
  }
})

test('what is there already is not followed', () =>
  withTempDir(async dir => {
    mkdirSync(join(dir, 'private'))
    symlinkSync(join(dir, 'private'), join(dir, 'planted'))
    writeFileSync(join(dir, 'made'), 'text')
    const final = await finalPath(join(dir, 'planted'), 'made')
    assert.is(final, join(dir, 'planted'))
    await putInPlace(join(dir, 'made'), final)
    assert.is(readFileSync(join(dir, 'planted'), 'utf8'), 'text')
    assert.equal(readdirSync(join(dir, 'private')), [])
    assert.not(existsSync(join(dir, 'made')))
  }))

test.run()
