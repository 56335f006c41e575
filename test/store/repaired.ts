import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Head, LedgerRecord } from 'boxledger/machines'
import { type Ledger, type RepairReport, repairLedger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { all, open } from './boxes.ts'

/** Everything that a ledger says, to be held against what a repair has made of it. */
export interface Truth {
  readonly records: readonly LedgerRecord[]
  readonly histories: ReadonlyMap<string, readonly LedgerRecord[]>
  readonly heads: ReadonlyMap<string, Head>
  readonly names: ReadonlyMap<string, string>
  readonly epoch: number
}

export async function truthOf(ledger: Ledger): Promise<Truth> {
  const records = await all(ledger.read())
  const histories = new Map<string, readonly LedgerRecord[]>()
  const heads = new Map<string, Head>()
  const names = new Map<string, string>()
  for (const box of new Set(records.map(({ box }) => box))) {
    histories.set(box, await all(ledger.history(box)))
    const living = ledger.head(box)
    const head = living ?? (await ledger.removedHead(box))
    if (head) heads.set(box, head)
    const name = living?.state.context.name
    if (name) names.set(name, box)
  }
  return { records, histories, heads, names, epoch: ledger.epoch }
}

export function repair(home: string, target: string): Promise<RepairReport> {
  return repairLedger({ home, target, engine: 'test/0', now: Date.now })
}

/** A hash of every file in a directory. */
export function fingerprintOf(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory, { recursive: true }).map(String).sort()) {
    const path = join(directory, name)
    const stat = statSync(path)
    hash.update(`${name} ${stat.mode} ${stat.size} ${stat.mtimeMs}\n`)
    if (stat.isFile()) hash.update(readFileSync(path))
  }
  return hash.digest('hex')
}

/**
 * Repairs a home, and holds the new one against the truth: nothing in it is wrong, what is not there is told, boxes that
 * are not parked are complete, and `verify` is clean but for those that are. Gives the report.
 */
export async function repairAndCompare(
  home: string,
  target: string,
  truth: Truth,
  what = '',
): Promise<RepairReport> {
  const before = fingerprintOf(home)
  const report = await repair(home, target)
  assert.is(fingerprintOf(home), before, `${what}: the old home is as it was`)
  assert.equal(report.problems, [], what)
  assert.equal(readdirSync(target).sort(), ['ledger', 'ledger.tail', 'lock'], what)
  assert.is(statSync(target).mode & 0o777, 0o700)

  const parked = new Map(report.parked.map(({ box, ...why }) => [box, why]))
  const isLost = (position: number) => report.lost.some(({ from, to }) => from <= position && position <= to)
  const ledger = await open(target)
  try {
    assert.is(ledger.tail.position, report.position, what)
    assert.ok(ledger.epoch > truth.epoch, what)
    assert.equal([...ledger.parked.keys()].sort(), [...parked.keys()].sort(), what)
    const records = await all(ledger.read())
    assert.is(records.length, report.records, what)
    const expected = truth.records.filter(({ position }) => position <= report.position && !isLost(position))
    assert.equal(
      records.map(({ position }) => position),
      expected.map(({ position }) => position),
      what,
    )
    for (const [n, record] of records.entries()) assertSame(record, expected[n], report, what)

    /** records that a box lacks without being parked: nothing that is left tells of them */
    let unknown = 0
    for (const [box, history] of truth.histories) {
      const head = ledger.head(box) ?? (await ledger.removedHead(box))
      const name = truth.heads.get(box)?.state.context.name
      if (parked.has(box)) {
        if (head) assert.equal(head, truth.heads.get(box), `${what}: ${box}`)
        if (name && truth.names.get(name) === box) assert.is(ledger.claimant(name) ?? box, box, what)
        continue
      }
      const found = await all(ledger.history(box))
      for (const [n, record] of found.entries()) assertSame(record, history[n], report, what)
      const missing = history.slice(found.length)
      for (const { position } of missing)
        assert.ok(isLost(position), `${what}: position ${position} of ${box}`)
      unknown += missing.length
      if (missing.length > 0) continue
      assert.equal(head, truth.heads.get(box), `${what}: head of ${box}`)
      if (name && truth.names.get(name) === box) assert.is(ledger.claimant(name), box, what)
      for (const { meta, position } of history)
        if (meta.commandId) assert.equal(await ledger.command(meta.commandId), { box, position }, what)
    }
    assert.ok(unknown <= report.unknown, `${what}: ${unknown} of ${report.unknown} unknown`)
    for (const replay of [false, true]) {
      const { problems } = await ledger.verify({ replay })
      assert.equal(
        problems.map(({ kind, box }) => `${kind} ${box}`).sort(),
        [...parked.keys()].map(box => `parked ${box}`).sort(),
        what,
      )
    }
  } finally {
    await ledger.close()
  }
  return report
}

/** A record whose frame could not be proven has lost its links, and nothing else. */
function assertSame(
  record: LedgerRecord,
  expected: LedgerRecord | undefined,
  { unproven }: RepairReport,
  what: string,
): void {
  const isUnproven = unproven.some(({ from, to }) => from <= record.position && record.position <= to)
  const links = isUnproven && expected ? { prev: expected.prev, hash: expected.hash } : {}
  assert.equal({ ...record, ...links }, expected, `${what}: position ${record.position}`)
}
