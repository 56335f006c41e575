import { randomBytes } from 'node:crypto'
import type { GuestChannel } from './channel.ts'
import { runPerl } from './run-perl.ts'

/** For an agent that does not know what is to be done, which is one of an older image: its perl is told. */
const body = `my $failed = set_right($line);
die "$failed\\n" if length $failed;
`

/** How long the guest may take over it, in `ms`. */
const limitMs = 30_000

/** What a guest is told of who it is. */
export interface Identity {
  /** it is another box now */
  readonly isOther: boolean
  /** if it takes one */
  readonly hostname: string | undefined
  /** of its VM */
  readonly uuid: string
}

/** Sets right a guest that was restored. Rejects where that could not be done. */
export async function setGuestRight(
  channel: GuestChannel,
  identity: Identity,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const tell = teller(identity)
  const failed = (await channel.setRight(tell())) ?? (await runPerl(channel, body, tell, limit))
  if (failed !== '') throw new Error(`The guest could not be set right: ${failed}`)
}

/** Gives the line that says it, see images/agent-renewal.ts, with the time when it is called. */
export function teller({ isOther, hostname = '-', uuid }: Identity): () => string {
  const seed = randomBytes(64).toString('hex')
  return () => `${timeNow()} ${isOther ? 1 : 0} ${hostname} ${uuid} ${seed}`
}

/** In seconds and nanoseconds. */
function timeNow(): string {
  const now = Date.now()
  return `${Math.floor(now / 1_000)} ${(now % 1_000) * 1_000_000}`
}
