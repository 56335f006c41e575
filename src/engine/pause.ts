import { BoxError, type Head, type LedgerRecord, type PublicState } from '../machines/index.ts'
import { ask, assertKnown, type CommandOptions, failureOf, stateOf, stopped } from './ask.ts'
import type { Engine } from './engine.ts'

export function pause(engine: Engine, box: string, c: CommandOptions): Promise<void> {
  return hold(
    engine,
    box,
    { from: 'running', to: 'paused', type: 'pause.requested', failed: 'pause.failed' },
    c,
  )
}

export function resume(engine: Engine, box: string, c: CommandOptions): Promise<void> {
  return hold(
    engine,
    box,
    { from: 'paused', to: 'running', type: 'resume.requested', failed: 'resume.failed' },
    c,
  )
}

interface Hold {
  readonly from: PublicState
  readonly to: PublicState
  readonly type: 'pause.requested' | 'resume.requested'
  readonly failed: LedgerRecord['event']['type']
}

async function hold(engine: Engine, box: string, { from, to, type, failed }: Hold, c: CommandOptions) {
  const isUnderWay = (head: Head) => stateOf(head) === from && Object.keys(head.state.effects).length > 0
  const { head, record } = await ask(
    engine,
    box,
    type,
    head => (stateOf(head) === to || isUnderWay(head) ? undefined : { type }),
    c,
  )
  if (record !== undefined && !isUnderWay(head)) return
  await engine.waiting.for(
    head,
    (now, record) => {
      if (stateOf(now) === to) return true
      if (record?.event.type === failed) throw failureOf(record.event as never)
      if (isUnderWay(now)) return undefined
      assertKnown(now, type === 'pause.requested' ? 'paused' : 'resumed')
      if (stateOf(now) === from)
        throw new BoxError('VMM_TIMEOUT', 'The VMM did not answer in time', { details: { box } })
      throw stopped(now)
    },
    c.signal,
  )
}
