import { type BoxSpec, readyOf } from '../../machines/index.ts'
import { hasAgent } from '../guest/reach.ts'
import type { Guest } from '../image.ts'

/**
 * All that a box may ask for and still begin with a template: what the guest is not told when it boots, or is told anew.
 * Whatever a spec has beside this, such as a main command or disks, is a reason to boot.
 */
const harmless: ReadonlySet<string> = new Set<keyof BoxSpec>([
  ...(['image', 'agent', 'env', 'workdir', 'user', 'cpus', 'memoryMib', 'autoRemove', 'detach'] as const),
  ...(['restart', 'ready', 'stopTimeoutMs', 'health'] as const),
])

/** Name of the image that a box may begin with a template of; undefined: it boots. */
export function templateImageOf(spec: BoxSpec): string | undefined {
  const { image = 'builtin' } = spec
  if (typeof image !== 'string' || !hasAgent(spec) || readyOf(spec) !== 'guest') return undefined
  const given = Object.entries(spec).filter(([, value]) => value !== undefined)
  return given.every(([key]) => harmless.has(key)) ? image : undefined
}

/** Why there can be no template of an image; undefined if there can. */
export function obstacleIn({ hasAgent, disks }: Pick<Guest, 'hasAgent' | 'disks'>): string | undefined {
  if (!hasAgent) return 'there is no agent in its guest, which could give each box an identity of its own'
  if (disks.some(({ readonly }) => readonly !== true))
    return 'each of its boxes has a disk of its own that can be written to'
  return undefined
}
