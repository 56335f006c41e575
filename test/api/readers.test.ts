// @timeout 120
// @timeout-long 400
import { setImmediate as turn } from 'node:timers/promises'
import { BoxRuntime } from 'boxledger'
import { Simulation } from 'boxledger/testing'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { makeRandom, type Random, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { assertAllSee, planOf, Reader } from './readers/readers.ts'

const test = suite('api: readers of every kind')

const labels = [{ team: 'a' }, { team: 'b' }, { team: 'a', tier: '1' }]

const types = ['box.created', 'box.renamed', 'remove.requested', 'box.removed', 'never.happens']

interface World {
  /** through whoever owns the home by now */
  runtime(): BoxRuntime
  /** another owner, who has nothing of what was written before at hand */
  reopen(): Promise<void>
  done<T>(work: Promise<T>): Promise<T>
}

/** Does one thing to boxes that come, live and go by chance. */
async function step({ runtime, done }: World, boxes: string[], random: Random): Promise<number> {
  const create = async () => {
    boxes.push((await done(runtime().create({ labels: random.pick(labels) }))).id)
  }
  const deed = random.below(10)
  if (boxes.length < 4 || deed > 7) await create()
  else if (deed > 0) await done(runtime().rename(random.pick(boxes), `n${random.below(2 ** 32)}`))
  else await done(runtime().remove(boxes.splice(random.below(boxes.length), 1)[0] ?? ''))
  return (await runtime().metrics()).position
}

/** Writes, has readers come in between, and holds each against what there is in the end. */
async function readAndWrite(
  world: World,
  random: Random,
  { readers: count, records }: { readonly readers: number; readonly records: number },
): Promise<void> {
  const boxes: string[] = []
  let position = 0
  while (position < records / 3) position = await step(world, boxes, random)
  await world.reopen()
  const runtime = world.runtime()
  const readers: Reader[] = []
  const choice = { boxes: [...boxes], types, labels, last: records }
  while (position < records || readers.length < count) {
    const come = Math.ceil((count * 3) / records) + random.below(3)
    for (let n = 0; n < come && readers.length < count; n += 1)
      readers.push(new Reader(runtime, planOf(readers.length, random, choice)))
    position = await step(world, boxes, random)
    if (random.next() < 0.3) await turn()
  }
  await assertAllSee(runtime, readers)
}

test('1,000 in a simulated world: each sees exactly what it should', async () => {
  const seed = takeSeed()
  await using world = await Simulation.open({ seed })
  const options = { readers: sized(1_000, 4_000), records: sized(300, 1_200) }
  const simulated: World = {
    runtime: () => world.runtime,
    reopen: async () => {
      await world.until(world.close())
      await world.reopen()
    },
    done: work => world.until(work),
  }
  await readAndWrite(simulated, makeRandom(seed), options)
  assert.equal(world.violations, [])
  await world.close()
})

test("40 through the owner's socket: the same", () =>
  withTempDir(async home => {
    const open = () => BoxRuntime.open({ home, durability: 'process' })
    let owner = await open()
    await using client = await BoxRuntime.connect({ home })
    const served: World = {
      runtime: () => client,
      reopen: async () => {
        await owner.close()
        owner = await open()
      },
      done: work => work,
    }
    await readAndWrite(served, makeRandom(takeSeed()), { readers: sized(40, 500), records: 150 })
    await owner.close()
  }))

test.run()
