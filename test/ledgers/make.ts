import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLedger } from 'boxledger/store'
import { withTempDir } from '../support/tmp.ts'
import { ledgersDir, readGolden, version } from './golden.ts'
import { liveThrough } from './history.ts'

/** Makes the golden ledger of this release: once, and never again. `npm run golden` */
const directory = join(ledgersDir, version)
if (existsSync(directory)) throw new Error(`${directory} is there already, and is to stay as it is for ever`)
await withTempDir(async dir => {
  const engine = `boxledger/${version}`
  const ledger = await openLedger({ home: join(dir, 'home'), bootId: 'golden', engine, now: () => 0 })
  const lines: string[] = []
  try {
    await liveThrough(ledger)
    for await (const page of ledger.export()) lines.push(...page)
  } finally {
    await ledger.close()
  }
  const { infos, removed } = await readGolden(join(dir, 'copy'), lines)
  mkdirSync(directory, { recursive: true })
  const text = (values: readonly unknown[]) => values.map(value => `${JSON.stringify(value)}\n`).join('')
  writeFileSync(join(directory, 'export.ndjson'), lines.map(line => `${line}\n`).join(''))
  writeFileSync(join(directory, 'infos.ndjson'), text(infos))
  writeFileSync(join(directory, 'removed.ndjson'), text(removed))
  console.log(`${directory}: ${lines.length} lines, ${infos.length} boxes, ${removed.length} removed`)
})
