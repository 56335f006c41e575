import { type Box, BoxError, type BoxInfo, type BoxRuntime } from '../index.ts'
import { exitCodeOf, tellFailure } from './failure.ts'
import type { Session } from './session.ts'

export interface Done<T> {
  readonly target: string
  readonly result: T
}

/**
 * Does the same for all targets at once, and tells of those that failed. The exit code is the error's own if there is
 * one target, 1 if one of several failed.
 */
export async function forEachTarget<T>(
  { output, json, signal }: Session,
  targets: readonly string[],
  work: (target: string) => Promise<T>,
): Promise<{ readonly done: readonly Done<T>[]; readonly exitCode: number }> {
  const settled = await Promise.allSettled(targets.map(target => work(target)))
  signal.throwIfAborted()
  const done: Done<T>[] = []
  let exitCode = 0
  for (const [index, target] of targets.entries()) {
    const outcome = settled[index]
    if (outcome?.status === 'fulfilled') done.push({ target, result: outcome.value })
    else {
      tellFailure(output, json, outcome?.reason, targets.length > 1 ? target : undefined)
      exitCode = targets.length > 1 ? 1 : exitCodeOf(outcome?.reason)
    }
  }
  return { done, exitCode }
}

/** For verbs that change boxes: answers with the targets that are done, or with what became of them. */
export async function changeEach(
  session: Session,
  targets: readonly string[],
  change: (target: string) => Promise<BoxInfo>,
): Promise<number> {
  const { done, exitCode } = await forEachTarget(session, targets, change)
  if (session.json) await tellDone(session, targets, done)
  else for (const { target } of done) await session.output.line(target)
  return exitCode
}

/** As a JSON array; nothing if the only target failed, since the error says all. */
export async function tellDone(
  { output }: Session,
  targets: readonly string[],
  done: readonly Done<BoxInfo>[],
): Promise<void> {
  if (done.length > 0 || targets.length > 1) await output.value(done.map(({ result }) => result))
}

export async function boxOf(runtime: BoxRuntime, target: string): Promise<Box> {
  const box = await runtime.get(target)
  if (box === undefined)
    throw new BoxError('NOT_FOUND', `There is no box ${target}`, { details: { idOrName: target } })
  return box
}
