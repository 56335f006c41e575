import { decodeHead, decodeSealed } from '../codec.ts'
import type { Database } from '../database.ts'
import { nameOf } from '../entry.ts'
import { loadNames } from '../heads.ts'
import { commands, headKey, removedKey, suffixOf } from '../keys.ts'
import { type Losses, loadDeclared } from '../losses.ts'
import { entryPages } from '../scan.ts'
import { type CommandLine, encodeLine, type ParkedLine } from './line.ts'

/** What a repair has left beside the chain and no fold gives back: parked boxes, and commands whose record is lost. */
export async function besideLines(db: Database, losses: Losses): Promise<string[]> {
  return [...(await parkedLines(db)), ...(losses.isEmpty ? [] : await commandLines(db, losses))]
}

async function parkedLines(db: Database): Promise<string[]> {
  const lines: string[] = []
  const declared = await loadDeclared(db)
  const names = declared.size > 0 ? await loadNames(db) : new Map<string, string | undefined>()
  for (const [box, { position, reason, removed }] of declared) {
    const [living, over]: (string | undefined)[] = await db.getMany([headKey(box), removedKey(box)])
    const head = [living, over].find(sealed => decodeHead(sealed)?.box === box)
    const ownName = nameOf(decodeHead(head))
    const name = ownName ?? [...names].find(([, owner]) => owner === box)?.[0]
    const line: ParkedLine = {
      box,
      ...(position === undefined ? {} : { position }),
      reason,
      ...(removed === undefined ? {} : { removed }),
      ...(name === undefined ? {} : { name }),
      ...(head === undefined ? {} : { head }),
    }
    lines.push(encodeLine({ parked: line }))
  }
  return lines
}

async function commandLines(db: Database, losses: Losses): Promise<string[]> {
  const lines: string[] = []
  for await (const page of entryPages(db, commands))
    for (const [key, sealed] of page) {
      const entry = decodeSealed(sealed) as { readonly box: string; readonly position: number } | undefined
      if (entry === undefined || !losses.hasNoRecord(entry.position)) continue
      const line: CommandLine = { id: suffixOf(key), box: entry.box, position: entry.position }
      lines.push(encodeLine({ command: line }))
    }
  return lines
}
