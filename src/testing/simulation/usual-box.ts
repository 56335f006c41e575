import type { BoxOptions } from '../../api/options.ts'
import type { Random } from '../random.ts'

/** A box as somebody might want one: all policies come up. */
export function usualBox(n: number, random: Random): BoxOptions {
  const policy = random.pick(['no', 'on-failure', 'always', 'unless-stopped'] as const)
  return {
    ...(random.chance(0.6) ? { name: `name-${random.below(40)}` } : {}),
    labels: { n: String(n) },
    restart: {
      policy,
      ...(random.chance(0.5) ? { maxRetries: random.below(6) } : {}),
      ...(random.chance(0.3) ? { backoff: { initialMs: random.between(10, 5_000), maxMs: 60_000 } } : {}),
    },
    autoRemove: policy !== 'always' && random.chance(0.25),
    detach: random.chance(0.85),
    ready: random.pick(['guest', 'vmm'] as const),
    stopTimeoutMs: random.pick([0, 500, 2_000, 10_000]),
  }
}
