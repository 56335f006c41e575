import { storyPage } from '../api/story/page.ts'
import { tellStory } from '../api/story/tell.ts'
import { BoxError } from '../index.ts'
import { eventWords } from './record-words.ts'
import type { Session } from './session.ts'

/**
 * Writes the page of a box's story. Rejects with `LEDGER_CORRUPT` where its records end before their time, once what can
 * be told is written.
 */
export async function writeStory({ runtime, output, signal }: Session, box: string): Promise<void> {
  const records = runtime.events({ box, signal })
  const story = await tellStory(records, { box, words: eventWords, now: Date.now() })
  signal.throwIfAborted()
  await output.write(storyPage(story))
  if (story.damage === undefined) return
  throw new BoxError('LEDGER_CORRUPT', `The page tells no more than this: ${story.damage}`, {
    details: { box: story.id },
  })
}
