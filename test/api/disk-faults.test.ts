// @timeout 1800
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { needsStrace } from '../support/requires.ts'
import { makeRandom, takeSeed } from '../support/seed.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { calls, type Fault, type Outcome, runChild } from './disk-faults/run-child.ts'

const test = suite('api: faults of the disk')
const image = smallGuest('idle')
const open = (home: string) => BoxRuntime.open({ home, vmm: { binary: instantVmm } })

/** commands of the owner before, and of the one whose disk fails */
const before = [1, 8] as const
const under = [9, sized(24, 40)] as const

const errors = ['EIO', 'ENOSPC'] as const

/** Gives one command after another, as the owner with the faults did, under the same IDs. */
async function giveAll(
  runtime: BoxRuntime,
  [first, last]: readonly [number, number],
): Promise<Map<string, string>> {
  const boxes = new Map<string, string>()
  for (let n = first; n <= last; n += 1) {
    const box = await runtime.create({ name: `name-${n}`, image }, { commandId: `create-${n}` })
    boxes.set(`create-${n}`, box.id)
    await runtime.rename(box.id, `renamed-${n}`, { commandId: `rename-${n}` })
    boxes.set(`rename-${n}`, box.id)
    if (n % 3 > 0) continue
    await box.remove({ commandId: `remove-${n}` })
    boxes.set(`remove-${n}`, box.id)
  }
  return boxes
}

/** What every command has led to, each once at most, and nothing else. */
async function doneIn(runtime: BoxRuntime, what: string): Promise<Map<string, LedgerRecord>> {
  const done = new Map<string, LedgerRecord>()
  for await (const record of runtime.events()) {
    const { commandId } = record.meta
    if (commandId === undefined) assert.is(record.event.type, 'box.removed', `${what}: nothing is invented`)
    else {
      assert.not(done.has(commandId), `${what}: ${commandId} is done once`)
      done.set(commandId, record)
    }
  }
  return done
}

async function check(home: string, { answered }: Outcome, what: string): Promise<void> {
  const first = await open(home)
  const done = await doneIn(first, what)
  for (const [commandId, box] of answered) assert.is(done.get(commandId)?.box, box, `${what}: ${commandId}`)
  assert.equal((await first.verify({ replay: true })).problems, [], `${what}: the ledger is sound`)
  // What had no answer is asked again, by another owner.
  const boxes = await giveAll(first, [before[0], under[1]])
  for (const [commandId, { box }] of done) assert.is(boxes.get(commandId), box, `${what}: ${commandId} again`)
  await first.close()
  const second = await open(home)
  const settled = await doneIn(second, what)
  assert.equal([...settled.keys()].sort(), [...boxes.keys()].sort(), `${what}: all is done, once`)
  for (const [commandId, { box }] of settled)
    assert.is(boxes.get(commandId), box, `${what}: ${commandId}, settled`)
  assert.is(
    (await second.listInfo()).length,
    [...boxes.keys()].filter(id => id.startsWith('create')).length -
      [...boxes.keys()].filter(id => id.startsWith('remove')).length,
  )
  assert.equal(
    (await second.verify({ replay: true })).problems,
    [],
    `${what}: the ledger is sound afterwards`,
  )
  await second.close()
}

async function withUsedHome(
  body: (copy: () => Promise<string>, dir: string) => Promise<void>,
): Promise<void> {
  await withTempDir(async dir => {
    const used = join(dir, 'used')
    const runtime = await open(used)
    await giveAll(runtime, before)
    await runtime.close()
    let count = 0
    await body(async () => {
      const home = join(dir, `home${count++}`)
      cpSync(used, home, { recursive: true, filter: file => !file.endsWith('.sock') })
      // Opened once more, it has a table.
      const owner = await open(home)
      await owner.adopt()
      await owner.close()
      return home
    }, dir)
  })
}

/** What was hard once: the last write before the owner closes. */
const hard: readonly Fault[] = [12, 13].map(when => ({ call: 'fdatasync', error: 'ENOSPC', when }))

/** Each call failing once, and some of them several times; or a choice of both. */
function faultsOf(most: ReadonlyMap<string, number>): Fault[] {
  const random = makeRandom(takeSeed())
  const timesOf = (call: string): number => {
    const times = most.get(call) ?? 0
    assert.ok(times > 0, `${call} is used`)
    return times
  }
  const once = calls.flatMap(call =>
    errors.flatMap(error =>
      Array.from({ length: timesOf(call) }, (_, n): Fault => ({ call, error, when: n + 1 })),
    ),
  )
  const repeated = Array.from({ length: sized(6, 60) }, (): Fault => {
    const call = random.pick(calls)
    return {
      call,
      error: random.pick(errors),
      when: 1 + random.below(timesOf(call)),
      step: 1 + random.below(8),
    }
  })
  return [
    ...hard,
    ...sized(
      Array.from({ length: 4 }, () => random.pick(once)),
      once,
    ),
    ...repeated,
  ]
}

needsStrace(test, 'whatever call fails, what was answered is there, once, and the rest settles', () =>
  withUsedHome(async (copy, dir) => {
    const { closed, stderr, calls: most } = await runChild(await copy(), under, undefined, join(dir, 'trace'))
    assert.ok(closed, stderr)
    const told = new Map<string, number>()
    let injected = 0
    let runs = 0
    for (const fault of faultsOf(most)) {
      const home = await copy()
      const what = JSON.stringify(fault)
      const outcome = await runChild(home, under, fault, join(dir, 'trace'))
      assert.not(outcome.codes.includes('LEDGER_CORRUPT'), `${what}: nothing is corrupt`)
      assert.ok(
        outcome.closed,
        `${what}: the owner lives through it\n${outcome.stderr}\n${[...new Set(outcome.codes)]}`,
      )
      await check(home, outcome, what)
      for (const code of outcome.codes) told.set(code, (told.get(code) ?? 0) + 1)
      injected += outcome.injected
      runs += 1
    }
    console.log(
      `faults of the disk: ${injected} in ${runs} runs, calls ${calls.join(' ')}; told ` +
        `${[...told].map(([code, count]) => `${code} ${count}`).join(', ')}; nothing lost, nothing done twice`,
    )
    assert.ok(injected > 0)
  }),
)

needsStrace(test, 'what cannot be read is not taken for empty: the home is refused, and as it was', () =>
  withUsedHome(async (copy, dir) => {
    for (const files of [/\.log$/, /^MANIFEST/, /^CURRENT$/, /\.ldb$/]) {
      const home = await copy()
      const what = String(files)
      const paths = readdirSync(join(home, 'ledger')).filter(file => files.test(file))
      assert.ok(paths.length > 0, what)
      const fault: Fault = {
        call: 'read',
        error: 'EIO',
        when: 1,
        step: 1,
        files: paths.map(file => join(home, 'ledger', file)),
      }
      const outcome = await runChild(home, under, fault, join(dir, 'trace'))
      assert.not(outcome.closed, what)
      assert.equal([...new Set(outcome.codes)], ['ENGINE_FAILED'], what)
      assert.is(outcome.answered.size, 0, what)
      await check(home, outcome, what)
    }
  }),
)

needsStrace(test, 'a log that cannot be opened, or read on, by LevelDB alone is not left out', () =>
  withUsedHome(async (copy, dir) => {
    // The first call is our own look at it.
    for (const call of ['openat', 'read'] as const) {
      const home = await copy()
      const logs = readdirSync(join(home, 'ledger')).filter(file => file.endsWith('.log'))
      const files = logs.map(file => join(home, 'ledger', file))
      const fault: Fault = { call, error: 'EIO', when: 2, files }
      const outcome = await runChild(home, under, fault, join(dir, 'trace'))
      assert.is(outcome.injected, 1, call)
      assert.ok(outcome.closed, `${call}: ${outcome.stderr}`)
      assert.equal(outcome.codes, [], call)
      await check(home, outcome, call)
    }
  }),
)

test.run()
