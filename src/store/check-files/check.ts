import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckedTables } from './checked-tables.ts'
import { type BadPart, readLogFile } from './log-file.ts'
import { type TableEntry, type Version, versionOf } from './manifest.ts'
import { provenByHashes } from './provable.ts'
import { readTableFile } from './table-file.ts'

/** A file of the database that is not as it was written. */
export interface FileProblem {
  /** name within the database's directory */
  readonly file: string
  /** where in it, in `bytes` */
  readonly offset?: number
  readonly message: string
  /** only records are touched, whose hashes tell them from others: the database can be used */
  readonly isProvable: boolean
}

export interface CheckOptions {
  /** last position that was told as durable; absent: the database is in use, and its log is growing */
  readonly known?: number
  /** tables that need no look; absent: all are looked at */
  readonly checked?: CheckedTables
  /** told of each log, oldest first, with the batches that are whole in it */
  readonly onLog?: (batches: readonly Buffer[]) => void
}

/**
 * Holds LevelDB's files against the checksums in them. LevelDB itself drops damaged parts of its log in silence, checks
 * no table it reads from, and aborts the process when it meets one in a compaction. What the hash chains do not prove
 * either is proven by this: that a key is not there.
 */
export async function* checkFiles(
  directory: string,
  options: CheckOptions = {},
): AsyncGenerator<FileProblem> {
  const version = await readVersion(directory)
  if ('message' in version) yield version
  else {
    yield* checkLogs(directory, version, options)
    for (const table of version.tables) yield* checkTable(directory, table, options)
  }
}

async function readVersion(directory: string): Promise<Version | FileProblem> {
  const current = (await read(directory, 'CURRENT'))?.toString('latin1')
  const [, manifest] = /^(MANIFEST-\d{6,})\n$/.exec(current ?? '') ?? []
  if (manifest === undefined) return problem('CURRENT', 'It does not name a manifest')
  const bytes = await read(directory, manifest)
  if (bytes === undefined) return problem('CURRENT', `It names ${manifest}, which is not there`)
  const { records, bad } = readLogFile(bytes)
  const damage = bad.find(part => !part.isCut)
  if (damage) return problem(manifest, 'The manifest is damaged', damage.offset)
  return versionOf(records) ?? problem(manifest, 'The manifest makes no sense')
}

async function* checkLogs(
  directory: string,
  { log }: Version,
  { known, onLog }: CheckOptions,
): AsyncGenerator<FileProblem> {
  const names = await readdir(directory)
  const numbers = names.flatMap(name => (/^\d{6,}\.log$/.test(name) ? [Number.parseInt(name, 10)] : []))
  const logs = numbers.filter(number => number >= log).sort((a, b) => a - b)
  const isRunning = known === undefined
  // It is made before the manifest names it, and goes only after the manifest names the next one.
  if (log > 0 && logs[0] !== log && !isRunning)
    yield problem(fileOf(log, 'log'), 'The log is gone, or the manifest has lost its end')
  for (const [n, number] of logs.entries()) {
    const file = fileOf(number, 'log')
    const bytes = await read(directory, file)
    if (bytes === undefined) continue
    // What follows in the next log was written later.
    const isLast = (part: BadPart) => part.isLast && (isRunning || n === logs.length - 1)
    const wasTold = (part: BadPart) => known !== undefined && holdsRecord(bytes, part, known)
    const { records, bad } = readLogFile(bytes)
    onLog?.(records)
    for (const part of bad)
      if (!isLast(part) || wasTold(part)) yield problem(file, 'The log is damaged', part.offset)
  }
}

/** Whether a damaged end of the log holds records that had been told as durable, so far as it can be read. */
function holdsRecord(bytes: Buffer, { offset, end }: BadPart, known: number): boolean {
  const text = bytes.toString('latin1', offset, end)
  for (const [, position = ''] of text.matchAll(/f\/([0-9a-f]{14})/g))
    if (Number.parseInt(position, 16) <= known) return true
  return false
}

async function* checkTable(
  directory: string,
  { number, size }: TableEntry,
  { known, checked }: CheckOptions,
): AsyncGenerator<FileProblem> {
  const file = fileOf(number, 'ldb')
  const stamp = await checked?.stampOf(file)
  if (stamp !== undefined && checked?.has(file, stamp)) return
  const bytes = await read(directory, file)
  if (bytes === undefined) {
    // In a database that is in use it may have been compacted away.
    if (known !== undefined || (await isListed(directory, number))) yield problem(file, 'The table is gone')
    return
  }
  if (bytes.length !== size) {
    yield problem(file, `The table has ${bytes.length} bytes, and had ${size}`)
    return
  }
  const { blocks, damage } = readTableFile(bytes)
  if (damage) yield problem(file, damage.message, damage.offset)
  let isGood = damage === undefined
  for (const block of blocks)
    if (!block.isGood) {
      isGood = false
      yield problem(file, 'A block of the table is damaged', block.offset, !damage && provenByHashes(block))
    }
  if (isGood && stamp !== undefined) checked?.add(file, stamp)
}

async function isListed(directory: string, number: number): Promise<boolean> {
  const version = await readVersion(directory)
  return !('message' in version) && version.tables.some(table => table.number === number)
}

function problem(file: string, message: string, offset?: number, isProvable = false): FileProblem {
  return { file, message, isProvable, ...(offset === undefined ? {} : { offset }) }
}

function fileOf(number: number, kind: string): string {
  return `${String(number).padStart(6, '0')}.${kind}`
}

async function read(directory: string, file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(directory, file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
