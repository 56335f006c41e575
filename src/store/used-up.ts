import { BoxError } from '../machines/index.ts'
import { decodeHead } from './codec.ts'
import type { Database } from './database.ts'
import { removedKey } from './keys.ts'
import type { Append } from './ledger.ts'

/** An ID is never used twice: why a stream cannot begin, if so. */
export function usedUp(db: Database, { box, expectedVersion }: Append): BoxError | undefined {
  const sealed = expectedVersion === 0 ? db.getSync(removedKey(box)) : undefined
  if (sealed === undefined) return undefined
  const actual = decodeHead(sealed)?.version
  return new BoxError('WRONG_EXPECTED_VERSION', `The ID ${box} is used up: what had it is over`, {
    details: { box, expected: 0, actual },
  })
}
