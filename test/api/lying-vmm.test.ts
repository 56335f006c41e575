// @timeout 200
// @timeout-long 1500
import { type Box, BoxError, BoxRuntime, errorCodes } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { isPolluted } from '../support/hostile.ts'
import { sized } from '../support/long.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { bodies, bytes, calls as driverCalls, statuses } from '../vmm/lies.ts'
import { busy, liar, liarOf, processesOf } from './lying.ts'

const test = suite('api: a VMM that lies')
const random = makeRandom(takeSeed())
const { below, pick } = random

const calls = [...driverCalls, '*'] as const

/** One lie, to one call, once or always. */
const faultOf = (call: string): string => {
  const times = pick(['', '', `,times=${1 + below(3)}`, `,nth=${1 + below(3)}`])
  const after = pick(['', ',when=after'])
  switch (below(sized(6, 7))) {
    case 0:
      return `cut:${call}${times}${after}`
    case 1:
      return `endless:${call}${times}`
    case 2:
    case 3:
      return `garbage:${call}${times},body=${pick(bytes)}`
    case 6:
      return `hang:${call}${times}`
    default:
      return `answer:${call},status=${pick(statuses)}${times}${after},body=${pick(bodies)}`
  }
}

const settle = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'done'
  } catch (error) {
    assert.ok(BoxError.is(error), error instanceof Error ? (error.stack ?? '') : String(error))
    assert.ok(Object.hasOwn(errorCodes, error.code))
    assert.ok(error.message.length < 20_000, `a message of ${error.message.length} characters`)
    return error.code
  }
}

/** A life with everything in it that a box can be asked for; gives what came of each. */
const live = async (box: Box): Promise<string[]> => {
  const came: string[] = []
  for (const work of [
    () => box.start(),
    () => box.pause(),
    () => box.resume(),
    () => box.stop({ timeoutMs: 100 }),
    () => box.start(),
    () => box.stop({ mode: 'force' }),
  ]) {
    came.push(await settle(work()))
    // A VMM that cannot be told from another is looked at for as long as it takes.
    if (came.at(-1) === 'VMM_TIMEOUT' && (await box.info()).state === 'unknown') break
  }
  return came
}

test('hurts nobody but its own box, takes no memory, and says nothing that is not bounded', () =>
  withTempDir(async home => {
    const before = process.memoryUsage.rss()
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss())
    }, 20)
    const came = new Map<string, number>()
    let longest = 0
    {
      await using runtime = await BoxRuntime.open({ home, vmm: { binary: liar }, startConcurrency: 100 })
      const honest = await liarOf(runtime, home, [])
      await honest.start()
      const other = busy(honest)
      const lies = Array.from({ length: sized(14, 150) }, (_, n) => faultOf(calls[n % calls.length] ?? '*'))
      const one = async (): Promise<void> => {
        for (let lie = lies.pop(); lie !== undefined; lie = lies.pop()) {
          const box = await liarOf(runtime, home, [lie])
          const what = `seed ${random.seed}: ${lie.slice(0, 300)}`
          try {
            for (const [n, code] of (await live(box)).entries())
              came.set(`${n} ${code}`, (came.get(`${n} ${code}`) ?? 0) + 1)
            for await (const record of box.events())
              assert.ok(
                JSON.stringify(record).length < 40_000,
                `a record of ${JSON.stringify(record).length} characters`,
              )
            if ((await box.info()).state === 'unknown') {
              const [pid] = processesOf(`${box.id}/`)
              if (pid !== undefined) process.kill(pid, 'SIGKILL')
              await box.waitFor(({ state }) => state !== 'unknown', { timeoutMs: 60_000 })
            }
            await box.remove({ force: true })
          } catch (error) {
            throw new Error(`${what}: ${(error as Error).message}`, { cause: error })
          }
        }
      }
      await Promise.all(Array.from({ length: 10 }, one))
      longest = await other.stop()
      await honest.remove({ force: true })
      await eventually(() => processesOf(home).length === 0, { what: 'the end of all VMMs' })
      const { ok, problems } = await runtime.verify({ replay: true })
      assert.ok(ok, JSON.stringify(problems))
    }
    clearInterval(watch)
    assert.not(isPolluted())
    process.stdout.write(
      `\nlying VMMs: ${JSON.stringify(Object.fromEntries([...came].sort()))}, longest pause and resume ${longest.toFixed()} ms, ` +
        `${(most - before) >> 20} MiB more\n`,
    )
    assert.ok(longest < 10_000, `another box was kept waiting for ${longest} ms`)
    assert.ok(most - before < 400 << 20, `${(most - before) >> 20} MiB more`)
  }))

test.run()
