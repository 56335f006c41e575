import { isDeepStrictEqual } from 'node:util'
import { type Boundary, BoxError } from '../machines/index.ts'
import { draftSecrets, dropDraft, keepSecrets, readSecrets, type Secrets } from '../vmm/index.ts'

/** Records a box whose secrets are in the home before anybody can hear of it. */
export async function recordWithSecrets<T>(
  home: string,
  box: string,
  secrets: Secrets,
  boundary: Boundary,
  record: () => Promise<T>,
): Promise<T> {
  boundary('before drafting secrets')
  await draftSecrets(home, box, secrets)
  boundary('after drafting secrets')
  let recorded: T
  try {
    recorded = await record()
  } catch (error) {
    // The draft of a box that may be recorded all the same is settled by the next owner.
    if (!BoxError.is(error, 'COMMIT_UNKNOWN')) {
      boundary('before dropping secrets')
      await dropDraft(home, box)
      boundary('after dropping secrets')
    }
    throw error
  }
  boundary('before keeping secrets')
  await keepSecrets(home, box)
  boundary('after keeping secrets')
  return recorded
}

/** Whether a box has these secrets and no others. */
export async function hasSecrets(home: string, box: string, secrets: Secrets): Promise<boolean> {
  return isDeepStrictEqual(await readSecrets(home, box), secrets)
}
