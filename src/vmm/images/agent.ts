import { programs } from './agent-programs.ts'
import { longestFrame, window } from './agent-protocol.ts'
import { renewal } from './agent-renewal.ts'
import { session } from './agent-session.ts'
import { transports } from './agent-transports.ts'

const head = `#!/bin/perl
use strict;

my $window = ${window};
my $longest = ${longestFrame};
my $group = '/sys/fs/cgroup/box';
my $path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

# Numbers of Linux on x86-64.
my ($O_NONBLOCK, $O_CLOEXEC, $F_SETFL, $WNOHANG, $EAGAIN, $EINTR, $ENOENT) = (2048, 524288, 4, 1, 11, 4, 2);
my ($TIOCSPTLCK, $TIOCGPTN, $TIOCSWINSZ, $TIOCSCTTY) = (0x40045431, 0x80045430, 0x5414, 0x540e);
my ($SYS_setsid, $AF_VSOCK, $SOCK_STREAM) = (112, 40, 1);
my ($SYS_rt_sigprocmask, $SYS_signalfd4, $SIG_BLOCK, $SIG_UNBLOCK) = (14, 289, 0, 1);
my $sigchld = pack 'Q', 1 << 16;

my ($in, $out, $buffer, $session, %runs);
my ($sessions, $stays) = (0, 0);
$SIG{CHLD} = $SIG{PIPE} = 'IGNORE';

`

/** `/bin/boxledger-agent` of a guest, see agent-protocol.ts. */
export const agentScript = head + session + programs + renewal + transports
