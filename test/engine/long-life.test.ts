// @timeout 240
// @timeout-long 2400
import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Box, BoxError, BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { vmmsOf } from './crash/vmms.ts'

const test = suite('engine: a long life')

const boxes = sized(16, 200)
const atOnce = sized(4, 8)
const rounds = 12
/** The long run lasts this long, the short one so many turns a round. */
const longMs = 20 * 60_000
const turnsARound = 12

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

interface Sample {
  /** in `bytes`, as all sizes here */
  readonly heap: number
  readonly resident: number
  readonly descriptors: number
  readonly sockets: number
  readonly runs: number
  readonly ledger: number
  readonly archive: number
  readonly records: number
  readonly vmms: number
}

const sizeOf = (dir: string): number =>
  readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + (sizeIfThere(join(parentPath, name)) ?? 0), 0)

function sizeIfThere(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return [] // that of the listing itself
    }
  })
}

async function sample(runtime: BoxRuntime, home: string): Promise<Sample> {
  await runtime.archive({ before: new Date() })
  await runtime.compact()
  collectGarbage()
  const { heapUsed: heap, rss: resident } = process.memoryUsage()
  const open = descriptors()
  const box = join(home, 'boxes')
  return {
    heap,
    resident,
    descriptors: open.length,
    sockets: open.filter(link => link.startsWith('socket:')).length,
    runs: readdirSync(box).flatMap(id => readdirSync(join(box, id))).length,
    ledger: sizeOf(join(home, 'ledger')),
    archive: sizeOf(join(home, 'archive')),
    records: (await runtime.verify()).records,
    vmms: vmmsOf(home).length,
  }
}

/** What a stop meets that crosses a crash, or a start that a kill ends: answers, and no faults. */
const expected = ['ABORTED', 'INVALID_STATE', 'VMM_GONE', 'VMM_START_FAILED', 'BOOT_FAILED']

test(`${boxes} boxes come and go: nothing grows but the archive`, () =>
  withTempDir(async home => {
    const random = makeRandom(takeSeed())
    const began = performance.now()
    const runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const population: Box[] = []
    let made = 0
    const make = async (place: number) => {
      made += 1
      const policy = made % 4 === 0 ? 'on-failure' : 'no'
      population[place] = await runtime.create({
        name: `box-${made}`,
        image: smallGuest('idle'),
        memoryMib: 64,
        stopTimeoutMs: 200,
        restart: { policy, maxRetries: 2 },
      })
    }
    const turns = [
      (box: Box) => box.start(),
      (box: Box) => box.stop({ mode: 'force' }),
      (box: Box) => box.stop({ mode: 'kill' }),
      (box: Box) => box.restart(),
      (box: Box) => box.pause(),
      (box: Box) => box.resume(),
      async (box: Box) => {
        const { pid, state } = await box.info()
        if (pid !== undefined && state === 'running') killIfThere(pid)
      },
      (box: Box) => box.remove({ force: true }),
    ]
    let hasFailed = false
    const work = async (places: readonly number[], isOver: () => boolean) => {
      while (!isOver() && !hasFailed) {
        const place = random.pick(places)
        const box = population[place] as Box
        const turn = random.pick(turns)
        await turn(box).catch((error: unknown) => {
          if (!BoxError.is(error) || !expected.includes(error.code)) throw error
        })
        if (!(await runtime.exists(box.id))) await make(place)
      }
    }

    const samples: Sample[] = []
    try {
      await Promise.all(Array.from({ length: boxes }, (_, place) => make(place)))
      for (let round = 1; round <= rounds; round += 1) {
        let left = turnsARound * atOnce
        const end = began + (longMs * round) / rounds
        const isOver = () => (sized(false, true) ? performance.now() >= end : left-- <= 0)
        // Each worker has places of its own: what two do to one box at once is another test's matter.
        const workers = Array.from({ length: atOnce }, async (_, worker) => {
          const places = Array.from(population.keys()).filter(place => place % atOnce === worker)
          await work(places, isOver).catch((error: unknown) => {
            hasFailed = true
            throw error
          })
        })
        for (const worker of await Promise.allSettled(workers))
          if (worker.status === 'rejected') throw worker.reason
        samples.push(await sample(runtime, home))
      }
      print(samples, made, performance.now() - began)
      hold(samples)
      assert.equal((await runtime.verify({ replay: true })).problems, [])
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
    }
    assert.equal(vmmsOf(home), [])
  }))

/** One that was killed a moment ago is taken for running until the engine has noticed. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`

function print(samples: readonly Sample[], made: number, ms: number): void {
  for (const s of samples)
    console.log(
      `heap ${mib(s.heap)}, resident ${mib(s.resident)}, ${s.descriptors} descriptors, ${s.sockets} sockets, ` +
        `${s.runs} run directories, ${s.vmms} VMMs, ledger ${mib(s.ledger)}, archive ${mib(s.archive)}, ${s.records} records`,
    )
  console.log(`long life: ${boxes} boxes at a time, ${made} in all, for ${Math.round(ms / 1000)} s`)
}

/** The second half against the first: what leaks grows with every round. */
function hold(samples: readonly Sample[]): void {
  const half = samples.length / 2
  const most = (part: readonly Sample[], what: keyof Sample) => Math.max(...part.map(s => s[what]))
  const grows = (what: keyof Sample, factor: number, slack: number) => {
    const before = most(samples.slice(0, half), what)
    const after = most(samples.slice(half), what)
    assert.ok(after <= before * factor + slack, `${what}: at most ${before}, then ${after}`)
  }
  grows('heap', 1.3, 8 << 20)
  grows('resident', 1.3, 64 << 20)
  // Each VMM that lives has connections, and how many do is chance.
  grows('descriptors', 1, boxes * 4 + 32)
  grows('sockets', 1, boxes * 3 + 32)
  assert.ok(most(samples, 'runs') <= boxes * 5, 'run directories are pruned')
  const [first, last] = [samples[half - 1] as Sample, samples.at(-1) as Sample]
  const kept = (last.ledger - first.ledger) / (last.records - first.records)
  // Of a record that is archived its frame stays, and where its body is.
  assert.ok(kept < 700, `the ledger keeps ${Math.round(kept)} bytes of each further record`)
}

test.run()
