// @timeout 120
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { ways } from './ways.ts'

const value = 'correct-horse-battery-staple'
const options = { name: 'it', env: { TOKEN: { secret: 'token' } }, secrets: { token: value } } as const

function filesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
    const path = join(dir, entry.name)
    return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : []
  })
}
const holding = (home: string) => filesIn(home).filter(path => readFileSync(path).includes(value))

for (const way of ways) {
  const test = suite(`api: secrets, ${way.name}`)

  test('are in one file of the home and nowhere else, and leave with their box', () =>
    withTempDir(async home => {
      const inspected: string[] = []
      const inspect = (event: object) => inspected.push(Object.values(event).map(String).join(' '))
      await using opened = await way.open({ home, inspect, vmm: { binary: instantVmm } })
      const { runtime } = opened
      const box = await runtime.create(options)
      assert.equal(holding(home), [join(home, 'secrets', box.id)])
      assert.equal((await box.info()).spec.env, options.env)
      assert.equal((await runtime.verify({ replay: true })).problems, [])
      const records: string[] = []
      for await (const record of runtime.events()) records.push(JSON.stringify(record))
      assert.not.ok(records.join().includes(value))
      assert.not.ok(JSON.stringify([await box.info(), box.actor.getSnapshot().context]).includes(value))
      assert.not.ok(inspected.join().includes(value))
      await box.remove()
      assert.equal(holding(home), [])
    }))

  test('their names are good in the head of a box, up or removed, also of an earlier owner', () =>
    withTempDir(async home => {
      const first = await way.open({ home, vmm: { binary: instantVmm } })
      const kept = await first.runtime.create(options)
      const gone = await first.runtime.create({ ...options, name: 'gone' })
      await gone.remove()
      assert.ok((await first.runtime.verify({ replay: true })).ok)
      await first[Symbol.asyncDispose]()
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const { runtime } = opened
      assert.equal((await runtime.getInfo(kept.id))?.spec.env, options.env)
      const records: string[] = []
      for await (const { event } of runtime.history(gone.id)) records.push(event.type)
      assert.is(records.at(-1), 'box.removed')
      const { ok, problems } = await runtime.verify({ replay: true })
      assert.ok(ok, JSON.stringify(problems))
    }))

  test('that cannot be are refused without being told', () =>
    withTempDir(async home => {
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const { runtime } = opened
      for (const wrong of [
        { env: { TOKEN: { secret: 'other' } }, secrets: { token: value } },
        { secrets: { token: `${value}\0` } },
        { secrets: { token: { value } } },
        { secrets: { token: [value] } },
        { secrets: { 'no name': value } },
        { secrets: { token: value.repeat(4_000) } },
      ]) {
        const error = await runtime.create(wrong as never).then(
          () => undefined,
          error => error,
        )
        assert.ok(BoxError.is(error, 'INVALID_ARGUMENT'), String(error))
        assert.not.ok(`${error.message} ${JSON.stringify(error.details)}`.includes(value))
      }
      assert.equal(holding(home), [])
      assert.equal(await runtime.listInfo(), [])
    }))

  test('of a box that is refused are gone; that differ are told by name', () =>
    withTempDir(async home => {
      await using opened = await way.open({ home, vmm: { binary: instantVmm } })
      const { runtime } = opened
      const box = await runtime.create(options)
      await runtime.create(options).catch(error => assert.ok(BoxError.is(error, 'NAME_TAKEN')))
      assert.equal(readdirSync(join(home, 'secrets')), [box.id])
      assert.equal((await runtime.getOrCreate(options)).differs, [])
      const { differs } = await runtime.getOrCreate({ ...options, secrets: { token: 'another' } })
      assert.equal(differs, ['secrets'])
    }))

  test.run()
}

const test = suite('api: who may read a home')

test('an owner that died while it made boxes leaves no secret of a box that is none', () =>
  withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const box = await first.create(options)
    await first.close()
    execFileSync('mv', [join(home, 'secrets', box.id), join(home, 'secrets', `${box.id}.draft`)])
    execFileSync('cp', [
      join(home, 'secrets', `${box.id}.draft`),
      join(home, 'secrets', 'aaaaaaaaaaaa.draft'),
    ])
    await using second = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    assert.equal(readdirSync(join(home, 'secrets')), [box.id])
    assert.equal((await second.getOrCreate(options)).differs, [])
  }))

async function modes(home: string, binary: string | readonly string[]): Promise<void> {
  await using runtime = await BoxRuntime.open({ home, vmm: { binary } })
  await runtime.create(options)
  const box = await runtime.create({ image: smallGuest('tick'), memoryMib: 64 })
  await box.start()
  const open: string[] = []
  const look = (path: string) => {
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) open.push(`${path} ${(mode & 0o777).toString(8)}`)
  }
  look(home)
  // A socket is as private as its directory.
  for (const entry of readdirSync(home, { withFileTypes: true, recursive: true }))
    if (!entry.isSocket()) look(join(entry.parentPath, entry.name))
  await box.remove({ force: true })
  assert.equal(open, [])
  assert.ok(existsSync(join(home, 'ledger')))
}

test('nobody but its owner, whichever the files', () =>
  withTempDir(home => modes(join(home, 'h'), instantVmm)))
needsCloudHypervisor(test, 'nobody but its owner, on cloud-hypervisor', () =>
  withTempDir(home => modes(join(home, 'h'), 'cloud-hypervisor')),
)

test.run()
