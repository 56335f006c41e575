import { closeSync, openSync } from 'node:fs'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { open, rejection, withHome } from './boxes.ts'
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

test.run()
