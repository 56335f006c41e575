import type { Engine } from '../../engine/index.ts'
import type { Committed } from '../../store/index.ts'
import type { Life } from './life.ts'
import type { Monitor } from './monitor.ts'

/** Hears of what becomes durable from now on, after all that did so before. */
export async function listen(engine: Engine, life: Life, monitor: Monitor): Promise<void> {
  const meanwhile: Committed[] = []
  let isListening = false
  engine.ledger.onCommit(committed => {
    if (life.isOver) return
    if (isListening) monitor.committed(committed)
    else meanwhile.push(...committed)
  })
  await compare(engine, monitor)
  isListening = true
  monitor.committed(meanwhile.filter(({ record }) => record.position > monitor.last.position))
}

/** What was told is there, as it was told; what is there and was not told is seen now. */
async function compare({ ledger }: Engine, monitor: Monitor): Promise<void> {
  const { position, hash } = monitor.last
  const end = ledger.tail.position
  if (end < position)
    return monitor.note('durable', undefined, `the ledger ends at ${end}, and ${position} was told`)
  for await (const record of ledger.read({ from: Math.max(1, position) })) {
    if (record.position === position) {
      if (record.hash !== hash)
        monitor.note('durable', record.box, `the record at ${position} is another one now`)
      continue
    }
    const head = ledger.head(record.box) ?? (await ledger.removedHead(record.box))
    if (head !== undefined) monitor.seen(record, head)
  }
}
