import { closeSync, openSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import * as assert from 'uvu/assert'
import { sized } from '../support/long.ts'
import { suite } from '../support/suite.ts'
import { all, open, rejection, withHome } from './boxes.ts'
import { startOwner } from './owners.ts'

const test = suite('lock')

test('a home that is open in this process is not opened again', () =>
  withHome(async home => {
    const ledger = await open(home)
    const error = await rejection(open(home))
    assert.is(error.code, 'ENGINE_LOCKED')
    assert.is(error.details.pid, process.pid)
    await ledger.close()
    const again = await open(home)
    await again.close()
  }))

test('of many who open a home at once, one gets it', () =>
  withHome(async home => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => open(home)))
    const won = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    assert.is(won.length, 1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.is(outcome.reason.code, 'ENGINE_LOCKED')
    await won[0]?.close()
  }))

test('a home that is open in another process is not opened, until that one is dead', () =>
  withHome(async home => {
    await using owner = await startOwner(home, 'hold')
    const error = await rejection(open(home))
    assert.is(error.code, 'ENGINE_LOCKED')
    assert.is(error.details.pid, owner.pid)
    await owner.kill()
    const ledger = await open(home)
    assert.is(ledger.epoch, 2)
    assert.equal(ledger.previous, { epoch: 1, bootId: 'boot-of-owner', closed: false })
    await ledger.close()
  }))

test('reading and copying the files of an open home does not lose the lock', () =>
  withHome(async home => {
    const ledger = await open(home)
    for (const file of ['lock', 'ledger/LOCK']) closeSync(openSync(join(home, file), 'r+'))
    await cp(home, `${home}-copy`, { recursive: true })
    await rejection(startOwner(home, 'hold'))
    assert.is((await rejection(open(home))).code, 'ENGINE_LOCKED')
    await ledger.close()
  }))

test('a stopped owner keeps its home until it is dead; then it is free at once', () =>
  withHome(async home => {
    await using owner = await startOwner(home, 'append')
    await owner.told(10)
    process.kill(owner.pid, 'SIGSTOP')
    for (let n = 0; n < 10; n += 1) {
      const error = await rejection(open(home))
      assert.is(error.code, 'ENGINE_LOCKED')
      assert.is(error.details.pid, owner.pid)
    }
    process.kill(owner.pid, 'SIGCONT')
    await owner.told(owner.lines.length + 10)
    process.kill(owner.pid, 'SIGSTOP')
    await rejection(open(home))
    await owner.kill()
    const ledger = await open(home)
    assert.equal(ledger.previous, { epoch: 1, bootId: 'boot-of-owner', closed: false })
    const records = await all(ledger.read())
    for (const line of owner.lines) {
      const [position = '', hash, id] = line.split(' ')
      if (id !== undefined) assert.is(records[Number(position) - 1]?.hash, hash)
    }
    assert.equal((await ledger.verify({ replay: true })).problems, [])
    await ledger.close()
  }))

test('a copy of a home that is being written to is a part of its history, or is refused', () =>
  withHome(async home => {
    await using owner = await startOwner(home, 'append')
    const copies = Array.from({ length: sized(8, 100) }, (_, n) => `${home}-copy${n}`)
    for (const [n, copy] of copies.entries()) {
      await owner.told((n + 1) * 20)
      // Files come and go under a copier: one that misses some has made no copy.
      await cp(home, copy, { recursive: true, filter: from => !from.endsWith('ballast') }).catch(error =>
        assert.is(error.code, 'ENOENT'),
      )
    }
    assert.is((await rejection(open(home))).details.pid, owner.pid, 'the lock is not lost')
    await owner.kill()
    const ledger = await open(home)
    const truth = (await all(ledger.read())).map(({ hash }) => hash)
    await ledger.close()
    let opened = 0
    for (const copy of copies) {
      const part = await open(copy).catch(error => assert.is(error.code, 'LEDGER_CORRUPT', String(error)))
      if (!part) continue
      opened += 1
      const hashes = (await all(part.read())).map(({ hash }) => hash)
      assert.equal(hashes, truth.slice(0, hashes.length))
      assert.equal((await part.verify({ replay: true })).problems, [])
      await part.close()
    }
    console.log(
      `copies of a home in use: ${copies.length}, ${opened} opened with a part of its history, the rest refused`,
    )
  }))

test('what a dead owner left in the lock file binds nobody', () =>
  withHome(async home => {
    const first = await open(home)
    await first.close()
    assert.is((await readFile(join(home, 'lock'), 'utf8')).trim(), '')
    await writeFile(join(home, 'lock'), JSON.stringify({ pid: 1, startTime: null, since: '' }))
    const second = await open(home)
    assert.is((await rejection(open(home))).details.pid, process.pid)
    await second.close()
  }))

test('a lock that a dead owner has left to a fork of its own is waited for', () =>
  withHome(async home => {
    await using owner = await startOwner(home, 'hold')
    await owner.kill()
    // What the fork of a killed process has until it is another program.
    const fork = openSync(join(home, 'lock'), 'r+')
    assert.ok(tryLock(fork))
    const opening = open(home)
    assert.is(await Promise.race([opening, delay(300, 'waits')]), 'waits')
    closeSync(fork)
    await (await opening).close()
  }))

test.run()
