import { decodeBody, decodeFrame, decodeHead, decodeSealed } from './codec.ts'
import { nameOf } from './entry.ts'
import { ownershipOf } from './journal.ts'
import {
  bodyKey,
  commandKey,
  commands,
  frameKey,
  headKey,
  livingHeads,
  nameKey,
  names,
  owners,
  suffixOf,
} from './keys.ts'
import type { Report, Still } from './verify.ts'

const pageSize = 256

/** Names both ways: each living box's name leads to it, and each entry to a box that has the name. */
export async function verifyNames(
  { db, at }: Still,
  { box: only, report }: { readonly box?: string; readonly report: Report },
): Promise<void> {
  const problem = (box: string | undefined, message: string) =>
    report({ kind: 'name', ...(box === undefined ? {} : { box }), message })
  const heads = db.iterator(
    only === undefined ? { ...livingHeads, ...at } : { gte: headKey(only), lte: headKey(only), ...at },
  )
  for await (const [key, sealed] of heads) {
    const box = suffixOf(key)
    const name = nameOf(decodeHead(sealed))
    if (name === null) continue
    const entry = decodeSealed(await db.get(nameKey(name), at)) as { box?: string } | undefined
    if (entry?.box !== box) problem(box, `The name ${name} does not lead to its box`)
  }
  if (only !== undefined) return
  for await (const [key, sealed] of db.iterator({ ...names, ...at })) {
    const name = suffixOf(key)
    const box = (decodeSealed(sealed) as { box?: string } | undefined)?.box
    if (box === undefined) {
      problem(undefined, `The entry of the name ${name} is damaged`)
      continue
    }
    const sealedHead = await db.get(headKey(box), at)
    const head = decodeHead(sealedHead)
    // A head that cannot be read is told as such.
    if (sealedHead === undefined || (head !== undefined && nameOf(head) !== name))
      problem(box, `The name ${name} leads to a box that does not have it`)
  }
}

/** Each entry of a command leads to a record of that command. */
export async function verifyCommands(
  { db, at }: Still,
  { report }: { readonly report: Report },
): Promise<void> {
  const iterator = db.iterator({ ...commands, ...at })
  try {
    for (let page = await iterator.nextv(pageSize); page.length > 0; page = await iterator.nextv(pageSize)) {
      const entries = page.map(
        ([, sealed]) => decodeSealed(sealed) as { box: string; position: number } | undefined,
      )
      const found: (string | undefined)[] = await db.getMany(
        entries.map(entry => frameKey(entry?.position ?? 0)),
        at,
      )
      const bodies: (string | undefined)[] = await db.getMany(
        found.map((text, n) => {
          const frame = decodeFrame(text)
          return frame && frame.box === entries[n]?.box
            ? bodyKey(frame.box, frame.version, frame.position)
            : commandKey('')
        }),
        at,
      )
      for (const [n, [key]] of page.entries()) {
        const commandId = suffixOf(key)
        const entry = entries[n]
        const message =
          entry === undefined
            ? `The entry of command ${commandId} is damaged`
            : decodeBody(bodies[n])?.meta?.commandId !== commandId
              ? `Command ${commandId} leads to a record that is not its own`
              : undefined
        if (message !== undefined)
          report({ kind: 'command', ...(entry && { box: entry.box, position: entry.position }), message })
      }
    }
  } finally {
    await iterator.close()
  }
}

/** Epochs only grow, one by one, up to the present one. */
export async function verifyJournal(
  { db, at }: Still,
  { epoch, report }: { readonly epoch: number; readonly report: Report },
): Promise<void> {
  let last = 0
  for await (const [key, sealed] of db.iterator({ ...owners, ...at })) {
    const ownership = ownershipOf(key, sealed)
    if (ownership === undefined) report({ kind: 'journal', message: `The entry ${key} is damaged` })
    const number = ownership?.epoch ?? last + 1
    if (number !== last + 1) report({ kind: 'journal', message: `Epoch ${number} follows epoch ${last}` })
    last = number
  }
  if (last !== epoch)
    report({ kind: 'journal', message: `The journal ends with epoch ${last}, the present one is ${epoch}` })
}
