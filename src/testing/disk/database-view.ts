import type { MemoryLevel } from 'memory-level'
import type { Database } from '../../store/index.ts'
import { never } from '../simulation/life.ts'

export interface ViewOptions {
  /** whoever has it open is dead: nothing that it still writes arrives */
  readonly isOver: () => boolean
  /** throws where the disk would not let it be opened, or written to beside the groups of transitions */
  readonly check: () => void
}

const writes: ReadonlySet<string | symbol> = new Set(['put', 'del', 'clear'])

/**
 * A database as one owner has it open. What is below outlives the owner: closing only shuts this view, and one that was
 * left open by the dead is in nobody's way.
 */
export function viewOf(below: MemoryLevel<string, string>, { isOver, check }: ViewOptions): Database {
  let isOpen = true
  const own: Readonly<Record<string | symbol, unknown>> = {
    async open() {
      check()
      isOpen = true
    },
    async close() {
      isOpen = false
    },
  }
  const view = new Proxy(below, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key]
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        const written = writes.has(key) || (key === 'batch' && given.length > 0)
        if (written && isOver()) return never()
        try {
          if (!isOpen) throw notOpen()
          if (written) check()
          return value.apply(target, given)
        } catch (error) {
          if (key.toString().endsWith('Sync') || !isPromised.has(key)) throw error
          return Promise.reject(error)
        }
      }
    },
  })
  // Memory has nothing to sync and no place: all that it lacks of LevelDB's own type.
  return view as unknown as Database
}

const isPromised: ReadonlySet<string | symbol> = new Set(['get', 'getMany', 'has', 'hasMany', ...writes])

function notOpen(): Error {
  return Object.assign(new Error('Database is not open'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
}
