// @timeout 240
import { writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsMount } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { type Tmpfs, withTmpfs } from '../support/tmpfs.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'

const test = suite('api: full disk')
const image = smallGuest('idle')
const vmm = { binary: instantVmm }
const opening = { vmm }

/** Takes all the room there is, as somebody else would. */
function fill(disk: Tmpfs): void {
  const file = join(disk.dir, 'filler')
  for (const size of [1 << 20, 1 << 12])
    for (;;)
      try {
        writeFileSync(file, Buffer.alloc(size, 1), { flag: 'a' })
      } catch (error) {
        assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
        break
      }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const codeOf = (reason: unknown) => (reason as { code?: string }).code

/**
 * Creates boxes until the disk stays full; gives the IDs of those whose creation was answered. At first it is full again
 * and again: opened anew, the ledger has packed its log and finds a little room.
 */
async function createUntilFull(runtime: BoxRuntime): Promise<string[]> {
  const answered: string[] = []
  for (let refused = 0; refused < 5; ) {
    assert.ok(answered.length < 50_000, 'the disk is full some time')
    try {
      answered.push((await runtime.create({ image, labels: { padding: 'x'.repeat(256) } })).id)
      refused = 0
    } catch (error) {
      assert.ok(['COMMIT_UNKNOWN', 'NO_SPACE'].includes(codeOf(error) ?? ''), String(error))
      if (codeOf(error) === 'NO_SPACE') refused += 1
      await sleep(50)
    }
  }
  return answered
}

const alive = (info: BoxInfo | undefined): boolean => {
  if (info?.pid === undefined) return false
  try {
    return process.kill(info.pid, 0)
  } catch {
    return false
  }
}

needsMount(test, 'boxes run on, reads go on, writes say NO_SPACE, and all goes on with room', () =>
  withTmpfs(40, async disk => {
    const home = join(disk.dir, 'home')
    const first = await BoxRuntime.open({ home, ...opening })
    const [calm, doomed, idle] = await Promise.all(
      ['calm', 'doomed', 'idle'].map(name => first.create({ name, image, stopTimeoutMs: 0 })),
    )
    if (!calm || !doomed || !idle) throw new Error('unreachable')
    await calm.start()
    await doomed.start()
    const before = await calm.info()
    fill(disk)
    const answered = await createUntilFull(first)
    assert.is(codeOf(await idle.start().catch(error => error)), 'NO_SPACE')
    const refusal = await first.create({ name: 'late', image }).catch(error => error)
    assert.is(codeOf(refusal), 'NO_SPACE')
    assert.is(refusal.retryable, true)

    // A fact that has no room to be recorded in waits for it.
    const { pid } = await doomed.info()
    if (pid === undefined) throw new Error('unreachable')
    process.kill(pid, 'SIGKILL')
    const reads = async (runtime: BoxRuntime) => {
      assert.ok(alive(await runtime.getInfo('calm')), 'the VMM lives')
      assert.is((await runtime.getInfo('calm'))?.state, 'running')
      const listed = new Set((await runtime.listInfo()).map(({ id }) => id))
      for (const id of answered) assert.ok(listed.has(id), id)
      const records: LedgerRecord[] = await all(runtime.events())
      assert.is((await all(runtime.history('calm'))).at(-1)?.to, 'running')
      return records.length
    }
    const records = await reads(first)
    assert.is((await first.getInfo('doomed'))?.state, 'running', 'nothing is shown that is not recorded')

    // Another owner, on the same full disk.
    await first.close()
    const second = await BoxRuntime.open({ home, ...opening })
    assert.is(await reads(second), records)
    await eventually(
      async () => codeOf(await second.create({ image }).catch(error => error)) === 'NO_SPACE',
      {
        what: 'the second owner to say NO_SPACE too',
      },
    )

    disk.resize(80)
    const made = await eventually(() => second.create({ name: 'late', image }, { commandId: 'late' }), {
      what: 'writing to go on by itself',
      timeoutMs: 30_000,
    })
    assert.is((await made.info()).state, 'configured')
    const down = await eventually(
      async () => (await second.getInfo('doomed'))?.state === 'crashed' && second.getInfo('doomed'),
      {
        what: 'the fact that had waited',
        timeoutMs: 20_000,
      },
    )
    assert.is(down.ending?.cause, 'crash')
    const same = await second.getInfo('calm')
    assert.equal([same?.pid, same?.incarnation, same?.state], [before.pid, before.incarnation, 'running'])
    await (await second.get('idle'))?.start()
    assert.is((await second.getInfo('idle'))?.state, 'running')
    assert.equal((await second.verify({ replay: true })).problems, [])
    for (const name of ['calm', 'idle', 'doomed']) await second.remove(name, { force: true })
    await second.close()
    await rm(join(disk.dir, 'filler'))
    console.log(`full disk: ${answered.length} creations answered before it, all there; 2 owners on it`)
  }),
)

needsMount(test, 'a home is opened and read on a disk that has no byte left', () =>
  withTmpfs(40, async disk => {
    const home = join(disk.dir, 'home')
    const first = await BoxRuntime.open({ home, ...opening })
    const box = await first.create({ name: 'calm', image, stopTimeoutMs: 0 })
    await box.start()
    const { pid } = await box.info()
    await first.close()
    fill(disk)

    const second = await BoxRuntime.open({ home, ...opening })
    const locked = await BoxRuntime.open({ home, ...opening }).catch(error => error)
    assert.equal([codeOf(locked), locked.details.pid], ['ENGINE_LOCKED', process.pid])
    const read = async (runtime: BoxRuntime) => {
      const info = await runtime.getInfo('calm')
      assert.equal([info?.state, info?.pid, alive(info)], ['running', pid, true])
      return (await all(runtime.events())).map(({ hash }) => hash)
    }
    const served = await BoxRuntime.connect({ home })
    assert.equal(await read(served), await read(second))
    await served.close()
    await eventually(
      async () => codeOf(await second.create({ image }).catch(error => error)) === 'NO_SPACE',
      {
        what: 'NO_SPACE to be told',
      },
    )
    const hashes = await read(second)
    await second.close()

    // Somebody takes what the ballast had kept: then there is a clear answer, and nothing is lost.
    fill(disk)
    const refused = await BoxRuntime.open({ home, ...opening }).catch(error => error)
    assert.equal([codeOf(refused), refused.retryable], ['NO_SPACE', true])
    disk.resize(60)
    const third = await BoxRuntime.open({ home, ...opening })
    assert.equal((await read(third)).slice(0, hashes.length), hashes)
    assert.equal((await third.verify({ replay: true })).problems, [])
    await third.remove('calm', { force: true })
    await third.close()
  }),
)

test.run()
