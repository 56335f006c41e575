import type { BoxInfo, LedgerRecord } from 'boxledger'
import * as assert from 'uvu/assert'
import { type Kill, type Killed, killAndCheck } from '../kill.ts'
import type { Binary } from '../scenario.ts'

/** A row of the table of crashes: where the engine dies, and what must come of it. */
export interface Row {
  readonly row: number
  /** what has happened when the engine dies */
  readonly when: string
  readonly run: (binary: Binary) => Promise<void>
  /** boundaries at which it kills */
  readonly kills: readonly Pick<Kill, 'scenario' | 'at'>[]
  /** a real VMM can show it too */
  readonly real?: true
}

type Expect = (killed: Killed) => void

/** A row that is killed at some boundaries, of which all must come to the same. */
export function killed(
  row: number,
  when: string,
  kills: readonly Kill[],
  expect: Expect,
  o: { readonly real?: true } = {},
): Row {
  return {
    row,
    when,
    kills,
    ...o,
    async run(binary) {
      for (const kill of kills) {
        const result = await killAndCheck(binary, kill)
        assert.is(result.outcome.signal, 'SIGKILL', `${kill.scenario} comes to ${kill.at}`)
        expect(result)
      }
    },
  }
}

/** The one box that there is, told by state and cause of its ending. */
export function wordsOf(boxes: readonly BoxInfo[]): string[] {
  return boxes.map(({ state, ending }) => (ending === undefined ? state : `${state} ${ending.cause}`))
}

/** The box runs, in the VMM that the dead engine had made if there was one, as its first incarnation. */
export function goesOn({ boxes, before }: Killed): void {
  assert.equal(wordsOf(boxes), ['running'])
  assert.is(boxes[0]?.incarnation, 1)
  if (before.vmms.length > 0) assert.is(boxes[0]?.pid, before.vmms[0]?.pid, 'it is the same process')
}

export const comesTo =
  (...words: readonly string[]): Expect =>
  ({ boxes }) =>
    assert.equal(wordsOf(boxes), words)

export const typesOf = (records: readonly LedgerRecord[]) => records.map(({ event }) => event.type)
