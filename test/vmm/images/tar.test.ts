import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as assert from 'uvu/assert'
import { readTar } from '../../../src/vmm/images/tar.ts'
import { makeRandom, takeSeed } from '../../support/seed.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'

const tar = suite('tar')

const longPath = `usr/lib/modules/${'very-long-directory-name/'.repeat(5)}file.ko`
const content = new Map([
  ['boot/vmlinuz', 'kernel'],
  ['empty', ''],
  [longPath, 'x'.repeat(1000)],
  ['block', 'y'.repeat(512)],
])

const pack = (dir: string, format: string): Buffer => {
  for (const [path, text] of content) {
    mkdirSync(join(dir, path, '..'), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  const run = spawnSync('tar', [`--format=${format}`, '-cC', dir, '.'])
  if (run.status !== 0) throw new Error(run.stderr.toString())
  return run.stdout
}

/** Cuts bytes into pieces of random size, as pipes do. */
function* pieces(bytes: Buffer, below: (limit: number) => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + below(3000)
    yield bytes.subarray(at, end)
    at = end
  }
}

const readAll = async (
  input: Iterable<Buffer>,
  wanted = (_path: string) => true,
): Promise<Map<string, string>> => {
  const found = new Map<string, string>()
  for (const file of await readTar(Readable.from(input), wanted)) found.set(file.path, file.data.toString())
  return found
}

const { below } = makeRandom(takeSeed())

for (const format of ['gnu', 'posix', 'ustar']) {
  tar(`reads what tar writes, format ${format}`, () =>
    withTempDir(async dir => {
      const found = await readAll(pieces(pack(dir, format), below))
      for (const [path, text] of content) assert.is(found.get(path), text, path)
      assert.is(found.size, content.size)
    }),
  )
}

tar('hands out only what is wanted', () =>
  withTempDir(async dir => {
    const found = await readAll([pack(dir, 'gnu')], path => path.startsWith('boot/'))
    assert.equal([...found.keys()], ['boot/vmlinuz'])
  }),
)

tar('an archive that is cut off or no archive is an error', () =>
  withTempDir(async dir => {
    const whole = pack(dir, 'gnu')
    const files = new Set((await readAll([whole])).keys())
    for (let end = 1; end < whole.length; end += 97) {
      const part = await readAll([whole.subarray(0, end)]).catch((error: Error) => error.message)
      // Between two entries an end cannot be told from a cut.
      if (typeof part !== 'string') assert.ok(part.size <= files.size)
      else assert.match(part, /archive|path/)
    }
    const noise = await readAll([Buffer.alloc(4096, 'no tar at all')]).catch((error: Error) => error.message)
    assert.match(String(noise), /archive/)
  }),
)

tar.run()
