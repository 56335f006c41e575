// @timeout 120
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { BoxError } from '../../../src/machines/index.ts'
import type { GuestChannel } from '../../../src/vmm/guest/channel.ts'
import { copyIn } from '../../../src/vmm/guest/copy/copy-in.ts'
import { copyOut } from '../../../src/vmm/guest/copy/copy-out.ts'
import type { Copying } from '../../../src/vmm/guest/copy/copying.ts'
import { suite } from '../../support/suite.ts'
import { withTempDir } from '../../support/tmp.ts'
import { withAgent } from './with-agent.ts'

const test = suite('copies into and out of a guest')

type Copy = (options: Copying) => Promise<void>
interface Sides {
  readonly channel: GuestChannel
  /** directories of the two sides, which here are of one machine */
  readonly here: string
  readonly there: string
}

/** Each thing is tried in both directions. */
function bothWays(name: string, body: (copy: Copy, sides: Sides) => Promise<void>): void {
  for (const copy of [copyIn, copyOut])
    test(`${name}: ${copy.name}`, () =>
      withAgent(channel =>
        withTempDir(async dir => {
          const [here, there] = [join(dir, 'here'), join(dir, 'there')] as const
          mkdirSync(here)
          mkdirSync(there)
          await body(copy, { channel, here, there })
          const left = readdirSync(dir, { recursive: true }).filter(path =>
            String(path).includes('.boxledger-'),
          )
          assert.equal(left, [], 'nothing half-made is left')
        }),
      ))
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    error => (BoxError.is(error) ? error.code : error),
  )

bothWays('a file, to a name or into a directory', async (copy, { channel, here, there }) => {
  const from = join(here, 'file')
  writeFileSync(from, 'text')
  await copy({ channel, from, to: join(there, 'other') })
  await copy({ channel, from, to: there })
  await copy({ channel, from, to: join(there, 'made', 'on', 'the', 'way/') })
  for (const made of ['other', 'file', 'made/on/the/way/file'])
    assert.is(readFileSync(join(there, made), 'utf8'), 'text')
  writeFileSync(from, 'new')
  await copy({ channel, from, to: join(there, 'other') })
  assert.is(readFileSync(join(there, 'other'), 'utf8'), 'new')
})

bothWays('a tree, with modes, times, links and odd names', async (copy, { channel, here, there }) => {
  const from = join(here, 'tree')
  mkdirSync(join(from, 'empty'), { recursive: true })
  mkdirSync(join(from, 'closed'))
  const names = [' ', '-rf', '@x', 'a\nb', "'", '"', '$(id)', '*', 'ü→', '..x', 'a'.repeat(200)]
  for (const name of names) writeFileSync(join(from, 'closed', name), name)
  chmodSync(join(from, 'closed', '-rf'), 0o751)
  utimesSync(join(from, 'closed', '-rf'), 1_000_000_000, 1_000_000_000)
  linkSync(join(from, 'closed', '-rf'), join(from, 'hard'))
  symlinkSync('closed/-rf', join(from, 'soft'))
  symlinkSync('/nowhere/at all', join(from, 'dangling'))
  chmodSync(join(from, 'closed'), 0o500)
  await copy({ channel, from, to: join(there, 'made') })
  const made = join(there, 'made')
  assert.equal(readdirSync(join(made, 'closed')).sort(), [...names].sort())
  for (const name of names) assert.is(readFileSync(join(made, 'closed', name), 'utf8'), name)
  assert.is(statSync(join(made, 'closed', '-rf')).mode & 0o777, 0o751)
  assert.is(statSync(join(made, 'closed', '-rf')).mtimeMs, 1_000_000_000_000)
  assert.is(statSync(join(made, 'closed')).mode & 0o777, 0o500)
  assert.is(statSync(join(made, 'hard')).ino, statSync(join(made, 'closed', '-rf')).ino)
  assert.is(readlinkSync(join(made, 'soft')), 'closed/-rf')
  assert.is(readlinkSync(join(made, 'dangling')), '/nowhere/at all')
  assert.equal(readdirSync(join(made, 'empty')), [])
  for (const closed of [from, made]) chmodSync(join(closed, 'closed'), 0o700)
})

bothWays('a tree over another: files take the places of files', async (copy, { channel, here, there }) => {
  const from = join(here, 'tree')
  mkdirSync(join(from, 'sub'), { recursive: true })
  writeFileSync(join(from, 'sub', 'a'), 'new')
  writeFileSync(join(from, 'b'), 'new')
  mkdirSync(join(there, 'tree', 'sub'), { recursive: true })
  writeFileSync(join(there, 'tree', 'sub', 'a'), 'old')
  writeFileSync(join(there, 'tree', 'kept'), 'old')
  await copy({ channel, from, to: there })
  const text = (path: string) => readFileSync(join(there, 'tree', path), 'utf8')
  assert.equal([text('sub/a'), text('b'), text('kept')], ['new', 'new', 'old'])
})

bothWays('what cannot be is told, and changes nothing', async (copy, { channel, here, there }) => {
  const from = join(here, 'file')
  writeFileSync(from, 'text')
  mkdirSync(join(here, 'dir'))
  mkdirSync(join(there, 'file'))
  const try_ = (from: string, to: string) => codeOf(copy({ channel, from, to }))
  assert.is(await try_(join(here, 'none'), there), 'NOT_FOUND')
  assert.is(await try_(join(here, 'file', 'none'), there), 'NOT_FOUND')
  assert.is(await try_('/', there), 'INVALID_ARGUMENT')
  assert.is(await try_(from, there), 'INVALID_ARGUMENT', 'a file over a directory')
  writeFileSync(join(there, 'dir'), 'a file')
  assert.is(await try_(join(here, 'dir'), join(there, 'dir')), 'INVALID_ARGUMENT', 'a directory over a file')
  assert.is(await try_(from, join(there, 'dir', 'below')), 'INVALID_ARGUMENT', 'below a file')
  assert.equal(readdirSync(there).sort(), ['dir', 'file'])
  assert.is(readFileSync(join(there, 'dir'), 'utf8'), 'a file')
})

bothWays('one that is given up leaves nothing', async (copy, { channel, here, there }) => {
  const from = join(here, 'big')
  writeFileSync(from, Buffer.alloc(32 << 20))
  const abort = new AbortController()
  let told = 0
  const onProgress = ({ bytes }: { bytes: number }) => {
    told += 1
    if (bytes > 1 << 20) abort.abort()
  }
  const code = await codeOf(copy({ channel, from, to: there, signal: abort.signal, onProgress }))
  assert.is(code, 'ABORTED')
  assert.ok(told > 1)
  assert.equal(readdirSync(there), [])
  const over = AbortSignal.abort()
  assert.is(await codeOf(copy({ channel, from, to: there, signal: over })), 'ABORTED')
})

bothWays('a guest that goes away is told', async (copy, { channel, here, there }) => {
  const from = join(here, 'big')
  writeFileSync(from, Buffer.alloc(32 << 20))
  const onProgress = ({ bytes }: { bytes: number }) => void (bytes > 1 << 20 && channel.close())
  assert.is(await codeOf(copy({ channel, from, to: join(there, 'x', '/'), onProgress })), 'GUEST_UNREACHABLE')
  assert.not(existsSync(join(there, 'x', 'big')))
  // Killed with its session, the guest's part could not clean up; that is a guest of its own, which is gone.
  if (copy === copyIn) (await import('node:fs')).rmSync(join(there, 'x'), { recursive: true })
})

test('sockets are passed over, and a program of a guest is nobody else here', () =>
  withAgent(channel =>
    withTempDir(async dir => {
      const from = join(dir, 'from')
      mkdirSync(from)
      const server = createServer().listen(join(from, 'socket'))
      writeFileSync(join(from, 'program'), '')
      chmodSync(join(from, 'program'), 0o6755)
      await copyIn({ channel, from, to: join(dir, 'in') })
      await copyOut({ channel, from, to: join(dir, 'out') })
      server.close()
      assert.equal(readdirSync(join(dir, 'in')), ['program'])
      assert.equal(readdirSync(join(dir, 'out')), ['program'])
      assert.is(lstatSync(join(dir, 'in', 'program')).mode & 0o7777, 0o6755)
      assert.is(lstatSync(join(dir, 'out', 'program')).mode & 0o7777, 0o755)
    }),
  ))

test.run()
