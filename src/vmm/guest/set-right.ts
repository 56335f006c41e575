import { randomBytes } from 'node:crypto'
import type { GuestChannel } from './channel.ts'

/**
 * What a guest that was restored cannot know by itself, for its perl: what time it is, and that others may have gone on
 * from where it was, with the same randomness and, of a clone, with the same name, IDs and keys. It says that it listens,
 * and is then told in one line: seconds, nanoseconds, new host name or `-`, randomness in hex.
 */
const script = String.raw`
$| = 1;
print "ready\n";
my ($seconds, $nanoseconds, $host, $seed) = split ' ', <STDIN>;
my @failed;

my $time = pack 'qq', $seconds, $nanoseconds;
syscall(227, 0, $time) == 0 or push @failed, "the clock: $!";

my ($RNDRESEEDCRNG, $zero) = (0x5207, 0);
my $random;
(open $random, '+<', '/dev/urandom' and syswrite $random, pack('H*', $seed)) or push @failed, "randomness: $!";
ioctl $random, $RNDRESEEDCRNG, $zero if $random;

if ($host ne '-') {
  put('/proc/sys/kernel/hostname', $host);
  put('/etc/hostname', $host) if -f '/etc/hostname';
  sysread $random, my $id, 16;
  for (qw(/etc/machine-id /var/lib/dbus/machine-id)) {
    put($_, unpack 'H*', $id) if -f $_ && !-l $_;
  }
  if (opendir my $keys, '/etc/ssh') {
    my @old = grep { /^ssh_host_.*_key(\.pub)?$/ } readdir $keys;
    unlink map { "/etc/ssh/$_" } @old;
    push @failed, 'keys of the SSH server' if @old && system('ssh-keygen', '-A') != 0;
  }
}
die join(', ', @failed) . "\n" if @failed;

sub put {
  my ($path, $text) = @_;
  my $file;
  (open $file, '>', $path and print $file "$text\n" and close $file) or push @failed, "$path: $!";
}
`

/** How long the guest may take over it, in `ms`. */
const limitMs = 30_000

/** How much is told of what went wrong, in `characters`. */
const longestReason = 1_000

/**
 * Sets right a guest that was restored; `hostname`: of one that is another box now. Rejects where that could not be done.
 */
export async function setGuestRight(
  channel: GuestChannel,
  { hostname }: { readonly hostname: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
  const program = channel.run({ args: ['perl', '-e', script], env: {}, workdir: '/', user: '' })
  const kill = () => program.destroy()
  limit.addEventListener('abort', kill, { once: true })
  if (limit.aborted) kill()
  try {
    const said = collect(program.stderr)
    for await (const _ of program.stdout) {
      // Only now: the time it takes to start is not lost.
      const now = Date.now()
      const seed = randomBytes(64).toString('hex')
      const nanoseconds = (now % 1_000) * 1_000_000
      program.stdin.end(`${Math.floor(now / 1_000)} ${nanoseconds} ${hostname ?? '-'} ${seed}\n`)
    }
    const { exitCode } = await program.ended
    if (exitCode !== 0) throw new Error(`The guest could not be set right: ${await said}`)
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
