import { decodeFrame, decodeHead, decodeSealed, decodeStored } from '../codec.ts'
import { nameOf } from '../entry.ts'
import {
  bodyKey,
  commands,
  frameKey,
  headKey,
  livingHeads,
  losses,
  nameKey,
  names,
  parkedBoxes,
  repairs,
  schemaKey,
  suffixOf,
} from '../keys.ts'
import { entryPages, keyPages } from '../scan.ts'
import { schemaIn } from '../schema.ts'
import type { Report, Still } from './still.ts'

/** Names both ways: each living box's name leads to it, and each entry to a box that has the name. */
export async function verifyNames(
  still: Still,
  { box: only, report }: { readonly box?: string; readonly report: Report },
): Promise<void> {
  const { db, at, declared } = still
  const problem = (box: string | undefined, message: string) => {
    if (box === undefined || !declared.has(box))
      report({ kind: 'name', ...(box === undefined ? {} : { box }), message })
  }
  const entryOf = (sealed: string | undefined) => (decodeSealed(sealed) as { box?: string } | undefined)?.box
  const range = only === undefined ? livingHeads : { gte: headKey(only), lt: `${headKey(only)}\0` }
  for await (const page of entryPages(db, range, at)) {
    const named = page.flatMap(([key, sealed]) => {
      const name = nameOf(decodeHead(sealed))
      return name === null ? [] : [{ box: suffixOf(key), name }]
    })
    const found = await getMany(
      still,
      named.map(({ name }) => nameKey(name)),
    )
    for (const [n, { box, name }] of named.entries())
      if (entryOf(found[n]) !== box) problem(box, `The name ${name} does not lead to its box`)
  }
  if (only !== undefined) return
  for await (const page of entryPages(db, names, at)) {
    const boxes = page.map(([, sealed]) => entryOf(sealed))
    const heads = await getMany(
      still,
      boxes.map(box => headKey(box ?? '')),
    )
    for (const [n, [key]] of page.entries()) {
      const name = suffixOf(key)
      const box = boxes[n]
      const head = decodeHead(heads[n])
      if (box === undefined) problem(box, `The entry of the name ${name} is damaged`)
      // A head that cannot be read is told as such.
      else if (heads[n] === undefined || (head !== undefined && nameOf(head) !== name))
        problem(box, `The name ${name} leads to a box that does not have it`)
    }
  }
}

function getMany({ db, at }: Still, keys: string[]): Promise<(string | undefined)[]> {
  return db.getMany(keys, at)
}

/** Each entry of a command leads to a record of that command. */
export async function verifyCommands(still: Still, { report }: { readonly report: Report }): Promise<void> {
  const { db, at, beside } = still
  let count = 0
  for await (const page of keyPages(db, commands, at)) count += page.length
  // Each was looked for from its record, and found to lead there.
  if (count === still.commands.found) return
  for await (const page of entryPages(db, commands, at)) {
    const entries = page.map(
      ([, sealed]) => decodeSealed(sealed) as { box: string; position: number } | undefined,
    )
    const found = await getMany(
      still,
      entries.map(entry => frameKey(entry?.position ?? 0)),
    )
    const owned = found.map((text, n) => {
      const frame = decodeFrame(text)
      return frame && frame.box === entries[n]?.box ? frame : undefined
    })
    const bodies = await beside.archive.resolve(
      await getMany(
        still,
        owned.map(frame => (frame ? bodyKey(frame.box, frame.version, frame.position) : frameKey(0))),
      ),
    )
    for (const [n, [key]] of page.entries()) {
      const commandId = suffixOf(key)
      const entry = entries[n]
      const damaged = entry === undefined
      if (!damaged && decodeStored(bodies[n])?.meta?.commandId === commandId) continue
      // A body that is missing is told as such, or declared as lost: what the command has led to is known all the same.
      const isMissing = owned[n] !== undefined && bodies[n] === undefined
      if (!damaged && (isMissing || beside.losses.hasNoRecord(entry.position))) continue
      const message = damaged
        ? `The entry of command ${commandId} is damaged`
        : `Command ${commandId} leads to a record that is not its own`
      report({ kind: 'command', ...(entry && { box: entry.box, position: entry.position }), message })
    }
  }
}

/** What repairs have left beside the chain can be read. */
export async function verifyRepairs(
  { db, at }: Still,
  { report }: { readonly report: Report },
): Promise<void> {
  const written = await db.get(schemaKey, at)
  if (written !== undefined && schemaIn(written) === undefined)
    report({ kind: 'journal', message: `The entry ${schemaKey} is damaged` })
  for (const range of [repairs, losses, parkedBoxes])
    for await (const [key, sealed] of db.iterator({ ...range, ...at }))
      if (decodeSealed(sealed) === undefined)
        report({ kind: 'journal', message: `The entry ${key} is damaged` })
}
