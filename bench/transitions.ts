import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import { ClassicLevel } from 'classic-level'
import { measureRaw, medianOf, type Shape } from './raw.ts'

export interface Durable {
  readonly boxes: number
  readonly perSecond: number
  /** of one command from call to answer, in `ms` */
  readonly p50: number
  readonly rawPerSecond: number
  readonly rawP50: number
}

/** Durable transitions through the public library: every box renames itself over and over, each one awaited. */
export async function measureTransitions(home: string, boxes: number, transitions: number): Promise<Durable> {
  const groups: number[] = []
  let answered = 0
  let flushed = 0
  const runtime = await BoxRuntime.open({
    home,
    seams: {
      boundary: name => {
        if (name.startsWith('after append')) answered += 1
      },
      aroundFlush: flush => {
        groups.push(answered - flushed)
        flushed = answered
        return flush()
      },
    },
  })
  const made = await Promise.all(
    Array.from({ length: boxes }, (_, n) => runtime.create({ name: `box-${n}` })),
  )
  const each = Math.ceil(transitions / boxes)
  const round = async (turns: number, times: number[]) => {
    await Promise.all(
      made.map(async (box, n) => {
        for (let turn = 0; turn < turns; turn += 1) {
          const before = performance.now()
          await runtime.rename(box.id, `box-${n}-${turn % 2}`)
          times.push(performance.now() - before)
        }
      }),
    )
  }
  await round(Math.max(2, Math.ceil(each / 10)), [])
  groups.length = 0
  const times: number[] = []
  const began = performance.now()
  await round(each, times)
  const seconds = (performance.now() - began) / 1_000
  groups.push(answered - flushed)
  await runtime.close()
  const raw = await measureRaw(
    await shapeOf(home),
    groups.filter(group => group > 0),
  )
  return {
    boxes,
    perSecond: (each * boxes) / seconds,
    p50: medianOf(times),
    rawPerSecond: raw.perSecond,
    rawP50: raw.p50,
  }
}

/** What the last transition has put into the database: its frame, body and head, and a name. */
async function shapeOf(home: string): Promise<Shape> {
  const db = new ClassicLevel<Buffer, Buffer>(join(home, 'ledger'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await db.open()
  const last = new Map<string, { key: number; value: number }>()
  for await (const [key, value] of db.iterator())
    if ('fbhn'.includes(key.toString('latin1').charAt(0)))
      last.set(key.toString('latin1').slice(0, 1), { key: key.length, value: value.length })
  await db.close()
  return [...last.values()]
}
