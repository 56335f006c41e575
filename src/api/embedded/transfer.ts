import { closedError, type Engine } from '../../engine/index.ts'
import type { Tail } from '../../store/index.ts'
import { linesOf } from '../lines.ts'
import { check, shapes } from '../options.ts'
import type { ExportOptions } from '../transfer.ts'
import type { LookUp } from './look-up.ts'

/** An export as pages of lines. `upTo`: the end that an export had which is to go on. */
export async function* exportPages(
  engine: Engine,
  boxes: LookUp,
  o: ExportOptions,
  upTo?: Tail,
): AsyncGenerator<string[], void, undefined> {
  const { box } = check(shapes.export, o, 'options')
  if (engine.isClosed) throw closedError()
  const id = box === undefined ? {} : { box: await boxes.any(box) }
  yield* engine.ledger.export({ ...id, ...(upTo === undefined ? {} : { upTo }) })
}

export function exportLines(engine: Engine, boxes: LookUp, o: ExportOptions): AsyncIterableIterator<string> {
  return linesOf(exportPages(engine, boxes, o))
}
