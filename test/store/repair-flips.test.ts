// @timeout 120
// @timeout-long 900
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, type Random, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { create, open, remove, submit } from './boxes.ts'
import { repairAndCompare, type Truth, truthOf } from './repaired.ts'

const test = suite('repair: real damage')

/** A home with tables, a log, and an archive, and all kinds of records in each. */
async function fill(home: string, random: Random): Promise<Truth> {
  let boxes: string[] = []
  let count = 0
  for (let round = 0; round < 3; round += 1) {
    const ledger = await open(home, { durability: 'process' })
    for (let n = 0; n < 90; n += 1) {
      const id = random.pick(boxes.length < 6 ? [''] : [...boxes, ''])
      const state = ledger.head(id)?.state.value
      if (id === '') {
        count += 1
        const made = `box${count}`
        await create(ledger, made, `name-${made}`, { commandId: `create-${made}` })
        boxes.push(made)
      } else if (state === 'configured' && random.below(2) === 0)
        await submit(ledger, id, { type: 'start.requested' }, { commandId: `start-${id}-${n}-${round}` })
      else if (state === 'configured' && random.below(3) === 0) {
        await remove(ledger, id)
        boxes = boxes.filter(other => other !== id)
      } else await submit(ledger, id, { type: 'box.renamed', name: `${id}.${n}.${round}` })
    }
    if (round === 0) await ledger.archive(Date.now() + 1)
    await ledger.compact()
    // The last round is in the log alone.
    if (round < 2) await ledger.close()
    else {
      for (let n = 0; n < 20; n += 1) await create(ledger, `late${n}`, null, { commandId: `late${n}` })
      const truth = await truthOf(ledger)
      await ledger.close()
      return truth
    }
  }
  throw new Error('unreachable')
}

function filesOf(home: string): string[] {
  const names = readdirSync(home, { recursive: true, withFileTypes: true })
  return names
    .filter(entry => entry.isFile() && !/^(ballast|lock|LOCK|LOG.*)$/.test(entry.name))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .filter(path => statSync(path).size > 0)
    .sort()
}

function flip(path: string, random: Random): void {
  const bytes = readFileSync(path)
  const at = random.below(bytes.length)
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random.below(8)), at)
  writeFileSync(path, bytes)
}

/** Files in proportion to their size: where bits are, they flip. */
function pickFile(files: readonly string[], random: Random): string {
  const sizes = files.map(path => statSync(path).size)
  let at = random.below(sizes.reduce((sum, size) => sum + size, 0))
  const index = sizes.findIndex(size => {
    at -= size
    return at < 0
  })
  return files[index] ?? ''
}

const kinds: readonly [name: string, damage: (home: string, random: Random) => string][] = [
  [
    'a flipped bit',
    (home, random) => {
      const path = pickFile(filesOf(home), random)
      flip(path, random)
      return path
    },
  ],
  [
    'four flipped bits',
    (home, random) => {
      const paths = Array.from({ length: 4 }, () => pickFile(filesOf(home), random))
      for (const path of paths) flip(path, random)
      return paths.join(', ')
    },
  ],
  [
    'a page of zeros',
    (home, random) => {
      const path = pickFile(filesOf(home), random)
      const bytes = readFileSync(path)
      const at = Math.floor(random.below(bytes.length) / 4096) * 4096
      bytes.fill(0, at, Math.min(at + 4096, bytes.length))
      writeFileSync(path, bytes)
      return `${path} at ${at}`
    },
  ],
  [
    'a file that was cut off',
    (home, random) => {
      const path = random.pick(filesOf(home))
      const size = random.below(statSync(path).size)
      truncateSync(path, size)
      return `${path} at ${size}`
    },
  ],
  [
    'random bytes',
    (home, random) => {
      const path = random.pick(filesOf(home))
      const bytes = readFileSync(path)
      const at = random.below(bytes.length)
      const end = Math.min(bytes.length, at + 1 + random.below(20_000))
      for (let n = at; n < end; n += 1) bytes.writeUInt8(random.below(256), n)
      writeFileSync(path, bytes)
      return `${path} from ${at} to ${end}`
    },
  ],
  [
    'a piece that is gone, or there twice',
    (home, random) => {
      const path = pickFile(filesOf(home), random)
      const bytes = readFileSync(path)
      const at = random.below(bytes.length)
      const end = at + random.below(8_000)
      const [from, to] = random.below(2) === 0 ? [at, end] : [end, at]
      writeFileSync(path, Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]))
      return `${path} to ${from}, then from ${to}`
    },
  ],
  [
    'a file that is gone',
    (home, random) => {
      const path = random.pick(filesOf(home))
      rmSync(path)
      return path
    },
  ],
]

test('after any damage the new home has nothing wrong, tells all that is lost, and verifies', async () => {
  const random = makeRandom(takeSeed())
  const rounds = sized(2, 60)
  await withTempDir(async dir => {
    const origin = join(dir, 'origin')
    const truth = await fill(origin, random)
    const tables = readdirSync(join(origin, 'ledger')).filter(name => name.endsWith('.ldb'))
    assert.ok(tables.length > 0)
    for (const [kind, damage] of kinds) {
      let lost = 0
      let parked = 0
      let unknown = 0
      let whole = 0
      for (let round = 0; round < rounds; round += 1) {
        const home = join(dir, 'home')
        const target = join(dir, 'target')
        cpSync(origin, home, { recursive: true, preserveTimestamps: true })
        const what = `${kind}, round ${round}: ${damage(home, random)}`
        const report = await repairAndCompare(home, target, truth, what)
        const missing = truth.records.length - report.records
        if (kind === 'a flipped bit') assert.ok(missing <= 40, `${what}: ${missing} lost`)
        lost += missing
        parked += report.parked.length
        unknown += report.unknown
        if (missing === 0) whole += 1
        for (const path of [home, target]) rmSync(path, { recursive: true })
      }
      const total = rounds * truth.records.length
      process.stdout.write(
        `\n${kind}: ${rounds} tried, ${whole} repaired without a loss, ${lost} of ${total} records lost, ${parked} boxes parked, of ${unknown} lost records the box is not known\n`,
      )
    }
  })
})

test.run()
