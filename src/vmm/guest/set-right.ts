import { randomBytes } from 'node:crypto'
import { renewal } from '../images/agent-renewal.ts'
import type { GuestChannel } from './channel.ts'

/** For an agent that does not know what is to be done, which is one of an older image: its perl is told. */
const script = `${renewal}
$| = 1;
print "ready\\n";
my $failed = set_right(scalar <STDIN>);
die "$failed\\n" if length $failed;
`

/** How long the guest may take over it, in `ms`. */
const limitMs = 30_000

/** How much is told of what went wrong, in `characters`. */
const longestReason = 1_000

/**
 * Sets right a guest that was restored; `isOther`: it is another box now, with `hostname`, if it takes one, in a VM with
 * `uuid`. Rejects where that could not be done.
 */
export async function setGuestRight(
  channel: GuestChannel,
  {
    isOther,
    hostname = '-',
    uuid,
  }: {
    readonly isOther: boolean
    readonly hostname: string | undefined
    readonly uuid: string
  },
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const seed = randomBytes(64).toString('hex')
  const tell = () => `${timeNow()} ${isOther ? 1 : 0} ${hostname} ${uuid} ${seed}`
  const failed = (await channel.setRight(tell())) ?? (await runScript(channel, tell, limit))
  if (failed !== '') throw new Error(`The guest could not be set right: ${failed}`)
}

/** In seconds and nanoseconds. */
function timeNow(): string {
  const now = Date.now()
  return `${Math.floor(now / 1_000)} ${(now % 1_000) * 1_000_000}`
}

/** Gives what failed, or nothing. */
async function runScript(channel: GuestChannel, tell: () => string, limit: AbortSignal): Promise<string> {
  const program = channel.run({ args: ['perl', '-e', script], env: {}, workdir: '/', user: '' })
  const kill = () => program.destroy()
  limit.addEventListener('abort', kill, { once: true })
  if (limit.aborted) kill()
  try {
    const said = collect(program.stderr)
    // Only when it listens: the time it takes to start is not lost.
    for await (const _ of program.stdout) program.stdin.end(`${tell()}\n`)
    const { exitCode } = await program.ended
    return exitCode === 0 ? '' : (await said) || `its perl ended with ${exitCode}`
  } finally {
    limit.removeEventListener('abort', kill)
  }
}

async function collect(output: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const bytes of output)
    text = `${text}${Buffer.from(bytes).toString('latin1')}`.slice(0, longestReason)
  return text.trim()
}
