import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { suite } from '../support/suite.ts'
import { all, create, open, rejection, remove, submit, withHome, withLedger } from './boxes.ts'

const test = suite('rejected batch')

/** A disk that can be told to fail the next write, before or after it was done. */
function badDisk() {
  const disk = {
    fail: undefined as 'before' | 'after' | undefined,
    error: new Error('IO error: made by the test'),
    onFail: async () => {},
    aroundFlush: async (write: () => Promise<void>) => {
      const { fail } = disk
      disk.fail = undefined
      if (fail === 'before') await disk.onFail()
      if (fail === 'before') throw disk.error
      await write()
      if (fail === 'after') throw disk.error
    },
  }
  return disk
}

test('a write that was lost: its callers do not know, its names are free, all goes on', async () => {
  const disk = badDisk()
  await withLedger(async ledger => {
    await create(ledger, 'aaaa')
    disk.fail = 'before'
    const lost = create(ledger, 'bbbb', 'web', { commandId: 'c1' })
    const alsoLost = create(ledger, 'cccc')
    const error = await rejection(lost)
    assert.is(error.code, 'COMMIT_UNKNOWN')
    assert.is(error.details.commandId, 'c1')
    assert.is((await rejection(alsoLost)).code, 'COMMIT_UNKNOWN')
    assert.is(await ledger.command('c1'), undefined)
    assert.is(ledger.claimant('web'), undefined)
    const { record } = await create(ledger, 'bbbb', 'web', { commandId: 'c1' })
    assert.is(record.position, 2)
    assert.is(ledger.failure, undefined)
    assert.ok((await ledger.verify({ replay: true })).ok)
  }, disk)
})

test('a write that was done all the same: its records are told, in order, and its callers do not know', async () => {
  const disk = badDisk()
  await withLedger(async ledger => {
    const told: string[] = []
    ledger.onCommit(committed => {
      for (const { record, head } of committed) {
        assert.is(head.version, record.version)
        told.push(`${record.position} ${record.box}`)
      }
    })
    await create(ledger, 'aaaa', 'old')
    await submit(ledger, 'aaaa', { type: 'remove.requested', force: false })
    disk.fail = 'after'
    const ghosts = [
      create(ledger, 'bbbb', 'web', { commandId: 'c1' }),
      submit(ledger, 'aaaa', { type: 'box.removed', incarnation: 0 }),
      create(ledger, 'cccc'),
    ]
    for (const ghost of ghosts) assert.is((await rejection(ghost)).code, 'COMMIT_UNKNOWN')
    assert.equal(await ledger.command('c1'), { box: 'bbbb', position: 3 })
    const { record } = await create(ledger, 'dddd', 'old')
    assert.equal(told, ['1 aaaa', '2 aaaa', '3 bbbb', '4 aaaa', '5 cccc', '6 dddd'])
    assert.is(record.position, 6)
    assert.is(ledger.claimant('web'), 'bbbb')
    assert.is(ledger.head('aaaa'), undefined)
    assert.is((await rejection(create(ledger, 'bbbb'))).code, 'WRONG_EXPECTED_VERSION')
    assert.ok((await ledger.verify({ replay: true })).ok)
  }, disk)
})

test('what arrives during the recovery waits for its end', async () => {
  const disk = badDisk()
  await withLedger(async ledger => {
    disk.fail = 'before'
    const lost = create(ledger, 'aaaa', 'web')
    // Handed in while the write is on its way, so that it stands behind the rejected one.
    disk.onFail = async () => {
      behind = create(ledger, 'bbbb')
    }
    let behind: Promise<{ record: { position: number } }> | undefined
    const meanwhile = lost.catch(() => create(ledger, 'cccc', 'web'))
    const reading = lost.catch(() => all(ledger.read()))
    assert.is((await meanwhile).head.box, 'cccc')
    assert.is((await behind)?.record.position, 1)
    assert.ok(Array.isArray(await reading))
    assert.is(ledger.tail.position, 2)
    assert.ok((await ledger.verify({ replay: true })).ok)
  }, disk)
})

test('many failures in a row, and nothing acknowledged is lost', async () => {
  const disk = badDisk()
  await withHome(async home => {
    const ledger = await open(home, disk)
    const acknowledged = new Map<string, number>()
    for (let round = 0; round < 20; round += 1) {
      disk.fail = round % 3 === 0 ? 'before' : round % 3 === 1 ? 'after' : undefined
      const ids = Array.from({ length: 10 }, (_, n) => `box-${round}-${n}`)
      const outcomes = await Promise.allSettled(ids.map(id => create(ledger, id)))
      for (const [n, outcome] of outcomes.entries())
        if (outcome.status === 'fulfilled') acknowledged.set(ids[n] ?? '', outcome.value.record.position)
        else assert.is(outcome.reason.code, 'COMMIT_UNKNOWN')
    }
    await ledger.close()
    const again = await open(home)
    for (const [box, position] of acknowledged) assert.is(again.head(box)?.position, position)
    assert.ok((await again.verify({ replay: true })).ok)
    await again.close()
  })
})

test('a database that cannot be opened again: appends say why, until it can', async () => {
  const disk = badDisk()
  await withLedger(async (ledger, home) => {
    await create(ledger, 'aaaa')
    const directory = join(home, 'ledger')
    disk.fail = 'before'
    disk.onFail = async () => {
      await rename(directory, `${directory}-away`)
      await writeFile(directory, '')
    }
    assert.is((await rejection(create(ledger, 'bbbb', 'web'))).code, 'COMMIT_UNKNOWN')
    assert.is(ledger.failure?.code, 'ENGINE_FAILED')
    assert.is((await rejection(create(ledger, 'cccc'))).code, 'ENGINE_FAILED')
    assert.is((await rejection(all(ledger.read()))).code, 'ENGINE_FAILED')
    assert.is(ledger.claimant('web'), undefined)
    await rm(directory)
    await rename(`${directory}-away`, directory)
    await eventually(() => ledger.failure === undefined, { what: 'the ledger to recover', timeoutMs: 20_000 })
    assert.is((await create(ledger, 'bbbb', 'web')).record.position, 2)
    assert.ok((await ledger.verify({ replay: true })).ok)
  }, disk)
})

test('a full disk has its own code', async () => {
  const disk = badDisk()
  await withHome(async home => {
    const ledger = await open(home, disk)
    await create(ledger, 'aaaa')
    const directory = join(home, 'ledger')
    disk.fail = 'before'
    disk.error = new Error('IO error: 000003.log: No space left on device')
    disk.onFail = async () => {
      await rename(directory, `${directory}-away`)
      await writeFile(directory, '')
    }
    const error = await rejection(create(ledger, 'bbbb'))
    assert.is(error.code, 'COMMIT_UNKNOWN')
    assert.ok(ledger.failure)
    // Closing does not wait for the disk.
    await ledger.close()
    await rm(directory)
    await rename(`${directory}-away`, directory)
    const again = await open(home)
    assert.is(again.tail.position, 1)
    await again.close()
  })
})

test('closing during a recovery ends every wait', async () => {
  const disk = badDisk()
  await withHome(async home => {
    const ledger = await open(home, disk)
    disk.fail = 'before'
    let closed: Promise<void> | undefined
    disk.onFail = async () => {
      waiting = create(ledger, 'bbbb')
      waiting.catch(() => {})
      closed = ledger.close()
    }
    let waiting: Promise<unknown> | undefined
    assert.is((await rejection(create(ledger, 'aaaa'))).code, 'COMMIT_UNKNOWN')
    await closed
    await waiting
    const again = await open(home)
    assert.is(again.tail.position, 1)
    assert.is(again.head('bbbb')?.version, 1)
    await again.close()
  })
})

test('a listener that throws keeps nobody from hearing', () =>
  withLedger(async ledger => {
    const thrown: unknown[] = []
    const catching = (error: unknown) => thrown.push(error)
    process.prependOnceListener('uncaughtException', catching)
    try {
      let heard = 0
      ledger.onCommit(() => {
        throw new Error('mistake')
      })
      const off = ledger.onCommit(() => {
        heard += 1
      })
      await create(ledger, 'aaaa')
      assert.is(heard, 1)
      off()
      await eventually(() => thrown.length === 1, { what: 'the mistake to surface' })
    } finally {
      process.off('uncaughtException', catching)
    }
  }))

test('removal is whole: head, name and place change at once', () =>
  withLedger(async ledger => {
    await create(ledger, 'aaaa', 'web')
    await remove(ledger, 'aaaa')
    assert.is(ledger.head('aaaa'), undefined)
    assert.is((await ledger.removedHead('aaaa'))?.lastEvent, 'box.removed')
  }))

test.run()
