import { isSameJson, type StreamHead, type StreamState } from '../../machines/index.ts'
import { decodeHead } from '../codec.ts'
import { checkpointKey } from '../keys.ts'
import type { Report, Still } from './still.ts'

/** What a checkpoint has to say, if there is one. */
export interface Expected extends Pick<StreamHead, 'box' | 'version' | 'position' | 'bodyHash'> {
  /** as it is replayed; undefined: it is not */
  readonly state: StreamState | undefined
}

/** A checkpoint can be missing, since it can be made again; one that is there is right. */
export async function verifyCheckpoints(
  { db, at, declared }: Still,
  { expected, report }: { readonly expected: readonly Expected[]; readonly report: Report },
): Promise<void> {
  if (expected.length === 0) return
  const keys = expected.map(({ box, version }) => checkpointKey(box, version))
  const found: (string | undefined)[] = await db.getMany(keys, at)
  for (const [n, wanted] of expected.entries()) {
    const { box, position, version } = wanted
    const sealed = found[n]
    if (sealed === undefined || declared.has(box)) continue
    const wrong = whatIsWrong(decodeHead(sealed), wanted)
    if (wrong !== undefined)
      report({ kind: 'checkpoint', position, box, message: `The checkpoint at version ${version} ${wrong}` })
  }
}

function whatIsWrong(head: StreamHead | undefined, expected: Expected): string | undefined {
  if (head === undefined) return 'is damaged'
  const belongs =
    head.box === expected.box &&
    head.version === expected.version &&
    head.position === expected.position &&
    head.bodyHash === expected.bodyHash
  if (!belongs) return 'is that of another record'
  const isRight = expected.state === undefined || isSameJson(expected.state, head.state)
  return isRight ? undefined : 'is not the state that is replayed'
}
