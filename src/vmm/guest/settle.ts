import { uuidOf } from '../cloud-hypervisor/uuid.ts'
import type { GuestChannel } from './channel.ts'
import { runPerl } from './run-perl.ts'
import { setGuestRight } from './set-right.ts'

/** What is left free for the guest itself, and the most that is zeroed, in `MiB`. */
const spare = 16
const most = 256

/** How long it may take, in `ms`. */
const limitMs = 30_000

const body = `open my $memory, '<', '/proc/meminfo' or exit;
my ($free) = map { /^MemFree: +(\\d+) kB/ ? $1 >> 10 : () } <$memory>;
my $unused = $free - ${spare};
$unused = ${most} if $unused > ${most};
my $zeros;
$zeros = "\\0" x ($unused << 20) if $unused > 0;
`

/**
 * Settles a guest that is about to become a template: what each of its boxes has to do to become itself is done once, so
 * that less of it is left to do, and what the boot has left in free memory is zeroed, so that it is not saved. What of it
 * cannot be done costs those boxes some time, and nothing else.
 */
export async function settleGuest(channel: GuestChannel, box: string, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  try {
    await setGuestRight(channel, { isOther: true, hostname: undefined, uuid: uuidOf(box) }, limit)
    await runPerl(channel, body, () => '', limit)
  } catch {
    // It can be booted, and so be saved as it is.
  }
}
