import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BoxInfo, BoxRuntime, type LedgerRecord } from 'boxledger'
import type { Head } from 'boxledger/machines'
import { openLedger } from 'boxledger/store'

/** Where each release has left a ledger. */
export const ledgersDir = fileURLToPath(new URL('../../../test/ledgers/', import.meta.url))

const manifest = fileURLToPath(new URL('../../../package.json', import.meta.url))
export const version = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version

export interface Read {
  readonly infos: readonly BoxInfo[]
  /** last heads of removed boxes */
  readonly removed: readonly Head[]
  readonly records: readonly LedgerRecord[]
  readonly problems: readonly unknown[]
  readonly lines: readonly string[]
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

/** Imports a ledger into a new home, and tells what this release makes of it. */
export async function readGolden(home: string, lines: readonly string[]): Promise<Read> {
  const records: LedgerRecord[] = []
  const again: string[] = []
  let infos: readonly BoxInfo[]
  let problems: readonly unknown[]
  {
    await using runtime = await BoxRuntime.open({ home, durability: 'process' })
    await runtime.importLedger(each(lines))
    infos = await runtime.listInfo()
    for await (const record of runtime.events()) records.push(record)
    for await (const line of runtime.exportLedger()) again.push(line)
    problems = (await runtime.verify({ replay: true })).problems
  }
  const ledger = await openLedger({ home, bootId: 'golden', engine: 'golden', now: () => 0 })
  const removed: Head[] = []
  for (const { box, to, execution } of records)
    if (to === 'removed' && execution === undefined) removed.push((await ledger.removedHead(box)) as Head)
  await ledger.close()
  return { infos, removed, records, problems, lines: again }
}

export function linesIn(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}

export function valuesIn<T>(file: string): T[] {
  return linesIn(file).map(line => JSON.parse(line) as T)
}

export const fileOf = (release: string, name: string): string => join(ledgersDir, release, name)
