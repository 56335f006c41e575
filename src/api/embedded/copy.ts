import { resolve } from 'node:path'
import {
  assertWanted,
  closedError,
  type Engine,
  lifecycle,
  notFound,
  unlessAborted,
} from '../../engine/index.ts'
import { BoxError } from '../../machines/index.ts'
import { agentMissing, type CopyProgress, copyIn, copyOut, hasAgent } from '../../vmm/index.ts'
import type { CopyOptions } from '../box.ts'
import { check, shapes } from '../options.ts'

/** Paths of a copy and what else was asked for, checked; the host's path is made absolute. */
export function checkCopy(
  direction: 'copyIn' | 'copyOut',
  [from, to]: readonly [unknown, unknown],
  options: unknown,
): { readonly from: string; readonly to: string; readonly given: CopyOptions } {
  const given = check(shapes.copy, options, direction) as CopyOptions
  const host = (path: unknown, field: string) => {
    const checked = check(shapes.path, path, field)
    return checked.endsWith('/') ? `${resolve(checked)}/` : resolve(checked)
  }
  return direction === 'copyIn'
    ? { from: host(from, 'from'), to: check(shapes.absolutePath, to, 'to'), given }
    : { from: check(shapes.absolutePath, from, 'from'), to: host(to, 'to'), given }
}

/** Copies into or out of a box's guest; the box is started if it is not up. */
export async function copy(
  engine: Engine,
  box: string,
  direction: 'copyIn' | 'copyOut',
  paths: readonly [unknown, unknown],
  options: unknown,
): Promise<void> {
  const { from, to, given } = checkCopy(direction, paths, options)
  const { signal, onProgress } = given
  assertWanted(signal)
  const now = () => {
    const head = engine.ledger.head(box)
    if (head === undefined) throw notFound(box)
    return head
  }
  if (!hasAgent(now().state.context.spec)) throw agentMissing(box)
  await lifecycle.start(engine, box, signal === undefined ? {} : { signal })
  const channel = await unlessAborted(engine.channels.of(now()), signal)
  const work = direction === 'copyIn' ? copyIn : copyOut
  try {
    await work({ channel, from, to, signal, onProgress })
  } catch (error) {
    if (engine.isClosed && BoxError.is(error, 'GUEST_UNREACHABLE')) throw closedError()
    throw error
  }
}

/** The progress of work that tells of it, the latest when it is asked for; ends or throws as the work does. */
export async function* progressOf(
  work: (onProgress: (progress: CopyProgress) => void) => Promise<void>,
): AsyncGenerator<CopyProgress, void, undefined> {
  let latest: CopyProgress | undefined = { bytes: 0, entries: 0 }
  let isOver = false
  let wake = (): void => {}
  const done = work(progress => {
    latest = progress
    wake()
  }).finally(() => {
    isOver = true
    wake()
  })
  done.catch(() => {}) // thrown below
  while (!isOver || latest !== undefined) {
    const told = latest
    latest = undefined
    if (told !== undefined) yield told
    else
      await new Promise<void>(resolve => {
        wake = resolve
      })
  }
  await done
}
