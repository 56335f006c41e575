import { BoxError } from '../machines/index.ts'

/** Turns what the file system or LevelDB throws into the one error class. */
export function storageError(error: unknown, what: string): BoxError {
  if (BoxError.is(error)) return error
  const texts = messagesOf(error)
  const message = `${what}: ${texts[0] ?? String(error)}`
  // LevelDB passes on strerror's text, without a code.
  if (texts.some(text => /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/.test(text)))
    return new BoxError('NO_SPACE', `${message}. Free some space; writing goes on by itself then`, {
      cause: error,
    })
  if (texts.some(text => /LEVEL_LOCKED/.test(text)))
    return new BoxError('ENGINE_LOCKED', `${message}. Another program has the database open`, {
      cause: error,
    })
  if (texts.some(text => /LEVEL_CORRUPTION|Corruption:/.test(text)))
    return new BoxError('LEDGER_CORRUPT', message, { cause: error })
  return new BoxError('ENGINE_FAILED', message, { cause: error })
}

/** Codes and messages of an error and its causes, outermost first. */
function messagesOf(error: unknown): string[] {
  const texts: string[] = []
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const code = (at as { code?: unknown }).code
    texts.push(typeof code === 'string' ? `${at.message} (${code})` : at.message)
  }
  return texts
}
