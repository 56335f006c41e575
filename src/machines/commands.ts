import { BoxError } from './errors.ts'
import type { BoxCommand } from './events.ts'
import { quoted } from './quoted.ts'

/** How a name is written; never empty, never a path. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/

/** How an ID is written. */
export const idPattern = /^[0-9a-z]{12}$/

type Given = Readonly<Record<string, unknown>>

/**
 * A command as somebody outside gives it: its own fields and nothing else, so that nothing but a command is recorded.
 * Throws `INVALID_ARGUMENT` for what is none, a fact above all.
 */
export function commandOf(value: unknown): BoxCommand {
  const { type, mode = 'graceful', timeoutMs, force = false, name, verdict, snapshot } = fieldsOf(value)
  switch (type) {
    case 'start.requested':
      if (snapshot === undefined) return { type }
      if (!isName(snapshot)) throw invalid('snapshot')
      return { type, snapshot }
    case 'snapshot.requested':
    case 'snapshot.removal.requested':
      if (!isName(name)) throw invalid('name')
      return { type, name }
    case 'restart.requested':
    case 'pause.requested':
    case 'resume.requested':
      return { type }
    case 'stop.requested':
      if (mode !== 'graceful' && mode !== 'force' && mode !== 'kill') throw invalid('mode')
      if (timeoutMs === undefined) return { type, mode }
      if (!Number.isInteger(timeoutMs) || Number(timeoutMs) < 0 || Number(timeoutMs) > 86_400_000)
        throw invalid('timeoutMs')
      return { type, mode, timeoutMs: Number(timeoutMs) }
    case 'remove.requested':
      if (typeof force !== 'boolean') throw invalid('force')
      return { type, force }
    case 'box.renamed':
      if (name !== null && !isName(name)) throw invalid('name')
      return { type, name }
    case 'box.resolved':
      if (verdict !== 'dead') throw invalid('verdict')
      return { type, verdict }
    default:
      throw new BoxError('INVALID_ARGUMENT', `A box takes commands, not ${quoted(type)}`, {
        details: { field: 'type' },
      })
  }
}

/** Read once: a getter may say something else the second time, or throw. */
function fieldsOf(value: unknown): Given {
  if (typeof value !== 'object' || value === null) return {}
  try {
    const { type, mode, timeoutMs, force, name, verdict, snapshot } = value as Given
    return { type, mode, timeoutMs, force, name, verdict, snapshot }
  } catch (cause) {
    throw new BoxError('INVALID_ARGUMENT', 'The command cannot be read', {
      details: { field: 'type' },
      cause,
    })
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && namePattern.test(value)
}

function invalid(field: string): BoxError {
  return new BoxError('INVALID_ARGUMENT', `${field} is missing or not what it should be`, {
    details: { field },
  })
}
