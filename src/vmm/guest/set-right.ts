import { randomBytes } from 'node:crypto'
import type { GuestChannel } from './channel.ts'
import { runPerl } from './run-perl.ts'

/** For an agent that does not know what is to be done, which is one of an older image: its perl is told. */
const body = `my $failed = set_right(pack 'H*', $line);
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
  const seed = randomBytes(64)
  const tell = () => told(identity, seed)
  const failed =
    (await channel.setRight(tell())) ?? (await runPerl(channel, body, () => tell().toString('hex'), limit))
  if (failed !== '') throw new Error(`The guest could not be set right: ${failed}`)
}

/** What is said of it now, see images/agent-renewal.ts. */
function told({ isOther, hostname = '', uuid }: Identity, seed: Uint8Array): Buffer {
  const now = Date.now()
  const head = Buffer.alloc(17)
  head.writeBigInt64BE(BigInt(Math.floor(now / 1_000)), 0)
  head.writeBigInt64BE(BigInt((now % 1_000) * 1_000_000), 8)
  head.writeUInt8(isOther ? 1 : 0, 16)
  return Buffer.concat([head, Buffer.from(`${hostname}\0${uuid}\0`), seed])
}
