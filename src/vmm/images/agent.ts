/**
 * `/bin/boxledger-agent` of a guest, for the perl of Debian's perl-base: runs programs for whoever is at the other end
 * of a channel. A channel is a stream of bytes, either a port of the virtio-serial device named
 * `boxledger.vsock.1024.N` or a connection to port 1024 of the vsock device; each is one session, and what a session
 * has started ends with it.
 *
 * What goes over a channel is frames: a letter, the number of the execution and the length of what follows, both 32
 * bits and big-endian. Words within are ended by NUL.
 *
 *     to the guest                                    from the guest
 *     x  user, workdir, terminal, N, N variables,     h  version of this, once at the beginning
 *        arguments                                    s  the process is there; its number
 *     i  input                                        o  standard output
 *     e  end of the input                             r  standard error
 *     k  name of a signal for its process group       c  input that was taken, in bytes
 *     w  columns, rows                                x  exit code, number of the signal
 *     c  'o' or 'r', output that was taken, in bytes  p  answer to p
 *     d  kill it, with all that it has started
 *     p  is anybody there?
 *
 * Of each stream at most `window` bytes are under way: more is not read from the program, or not sent, until the other
 * side has taken some. So one execution that nobody reads holds up no other.
 */
export const agentVersion = 1

/** Bytes of a stream that may be sent before any are taken. */
export const window = 256 << 10

/** Bytes of a frame's content at most. */
export const longestFrame = 1 << 20

/** Port of the vsock device at which the agent listens. */
export const agentPort = 1024

export const agentScript = String.raw`#!/bin/perl
use strict;

my $window = ${window};
my $longest = ${longestFrame};
my $group = '/sys/fs/cgroup/box';
my $path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

# Numbers of Linux on x86-64.
my ($O_NONBLOCK, $F_SETFL, $WNOHANG, $EAGAIN, $EINTR, $ENOENT) = (2048, 4, 1, 11, 4, 2);
my ($TIOCSPTLCK, $TIOCGPTN, $TIOCSWINSZ, $TIOCSCTTY) = (0x40045431, 0x80045430, 0x5414, 0x540e);
my ($SYS_setsid, $AF_UNIX, $AF_VSOCK, $SOCK_STREAM) = (112, 1, 40, 1);

my ($in, $out, $buffer, $session, %runs);
$SIG{CHLD} = $SIG{PIPE} = 'IGNORE';

sub tell_host {
  my ($type, $id, $content) = @_;
  my $frame = pack('aNN', $type, $id, length $content) . $content;
  for (my $at = 0; $at < length $frame;) {
    my $sent = syswrite $out, $frame, length($frame) - $at, $at;
    $at += $sent // 0;
    next if defined $sent || $! == $EINTR;
    die "gone\n" unless $! == $EAGAIN;
    # A host that is gone is seen by reading only.
    hear();
    my ($readable, $writable) = ('', '');
    vec($readable, fileno $in, 1) = vec($writable, fileno $out, 1) = 1;
    select $readable, $writable, undef, undef;
  }
}

sub hear {
  my $read = sysread $in, $buffer, 65536, length $buffer;
  die "gone\n" unless $read || !defined $read && ($! == $EAGAIN || $! == $EINTR);
}

# Serves one session, until its other end is gone.
sub serve {
  ($in, $out) = @_;
  pipe my $died, my $dying or die;
  fcntl $_, $F_SETFL, $O_NONBLOCK for $died, $dying;
  local $SIG{CHLD} = sub { syswrite $dying, 'x' };
  $buffer = '';
  mkdir $session = "$group/session-$$";
  eval {
    # Here it waits for a host.
    tell_host('h', 0, "${agentVersion}");
    fcntl $_, $F_SETFL, $O_NONBLOCK for $in, $out;
    while (1) {
      my ($readable, $writable) = ('', '');
      vec($readable, fileno $_, 1) = 1 for $in, $died;
      for my $run (values %runs) {
        for (qw(o r)) {
          vec($readable, fileno $run->{$_}, 1) = 1 if $run->{$_} && $run->{credit}{$_} > 0;
        }
        vec($writable, fileno $run->{i}, 1) = 1 if $run->{i} && length $run->{input};
      }
      next if select($readable, $writable, undef, undef) < 0;
      if (vec $readable, fileno $died, 1) {
        sysread $died, my $none, 4096;
        reap();
      }
      for my $id (keys %runs) {
        my $run = $runs{$id};
        for (qw(o r)) {
          forward($id, $_) if $run->{$_} && vec $readable, fileno $run->{$_}, 1;
        }
        feed($id) if $run->{i} && vec $writable, fileno $run->{i}, 1;
        settle($id) if defined $run->{status};
      }
      hear() if vec $readable, fileno $in, 1;
      while (length $buffer >= 9) {
        my ($type, $id, $length) = unpack 'aNN', $buffer;
        die "nonsense\n" if $length > $longest;
        last if length $buffer < 9 + $length;
        my $content = substr $buffer, 9, $length;
        substr($buffer, 0, 9 + $length) = '';
        obey($type, $id, $content);
      }
    }
  };
  end_session();
}

sub obey {
  my ($type, $id, $content) = @_;
  return tell_host('p', $id, '') if $type eq 'p';
  if ($type eq 'x') {
    return if eval { begin($id, $content); 1 };
    tell_host('r', $id, "boxledger: $@");
    return tell_host('x', $id, pack 'CC', 126, 0);
  }
  my $run = $runs{$id} or return;
  if ($type eq 'i') {
    if ($run->{i}) { $run->{input} .= $content }
    else { tell_host('c', $id, pack 'N', length $content) }
  }
  elsif ($type eq 'e') { $run->{eof} = 1; feed($id) }
  elsif ($type eq 'k') {
    # It has no group of its own at its very beginning.
    eval { kill("-$content", $run->{pid}) || kill $content, $run->{pid} } unless defined $run->{status};
  }
  elsif ($type eq 'w') { resize($run->{tty}, $content) if $run->{tty} }
  elsif ($type eq 'c') {
    my ($stream, $taken) = unpack 'aN', $content;
    $run->{credit}{$stream} += $taken;
    settle($id) if defined $run->{status};
  }
  elsif ($type eq 'd') { end_run($id) }
}

sub begin {
  my ($id, $content) = @_;
  my ($user, $dir, $size, $count, @words) = split /\0/, $content, -1;
  pop @words;
  my @env = splice @words, 0, $count;
  my $run = { input => '', credit => { o => $window, r => $window } };
  my ($tty, @theirs);
  if (length $size) {
    open $run->{tty}, '+<', '/dev/ptmx' or die "no terminal: $!\n";
    my $number = pack 'i', 0;
    ioctl $run->{tty}, $TIOCSPTLCK, $number;
    ioctl $run->{tty}, $TIOCGPTN, $number;
    $tty = '/dev/pts/' . unpack 'i', $number;
    resize($run->{tty}, $size);
    $run->{i} = $run->{o} = $run->{tty};
  } else {
    pipe $theirs[0], $run->{i} and pipe $run->{o}, $theirs[1] and pipe $run->{r}, $theirs[2]
      or die "no pipe: $!\n";
  }
  fcntl $_, $F_SETFL, $O_NONBLOCK for grep { defined } @$run{qw(i o r)};
  my $place = "$session/$id";
  $run->{group} = $place if mkdir $place;
  $run->{pid} = fork // die "no process: $!\n";
  if (!$run->{pid}) {
    # Whatever fails here, this process says nothing on the channel.
    eval { turn_into($place, $tty, $user, $dir, \@env, \@theirs, @words) };
    exit 126;
  }
  $runs{$id} = $run;
  tell_host('s', $id, $run->{pid});
}

sub turn_into {
  my ($place, $tty, $user, $dir, $env, $theirs, @words) = @_;
  $SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT PIPE TERM CHLD TSTP TTIN TTOU);
  syscall $SYS_setsid;
  if (open my $procs, '>', "$place/cgroup.procs") { syswrite $procs, '0' }
  if (defined $tty) {
    open STDIN, '+<', $tty;
    ioctl STDIN, $TIOCSCTTY, my $force = 0;
    open STDOUT, '>&', \*STDIN;
    open STDERR, '>&', \*STDIN;
  } else {
    open STDIN, '<&', $theirs->[0];
    open STDOUT, '>&', $theirs->[1];
    open STDERR, '>&', $theirs->[2];
  }
  become($user, $tty, $env);
  chdir $dir or refuse("cannot enter $dir: $!", 126);
  exec { $words[0] } @words;
  refuse("cannot run $words[0]: $!", $! == $ENOENT ? 127 : 126);
}

sub refuse {
  my ($why, $code) = @_;
  syswrite STDERR, "boxledger: $why\n";
  exit $code;
}

# Nothing (as it is), NAME or UID, with :GROUP or :GID if another group is wanted; as with docker, a number needs no entry in /etc/passwd.
sub become {
  my ($user, $tty, $env) = @_;
  $user = $< unless length $user;
  my ($name, $group) = split /:/, $user, 2;
  my @entry = $name =~ /^\d+$/ ? getpwuid $name : getpwnam $name;
  my ($uid, $gid) = @entry ? @entry[2, 3] : ($name, 0);
  refuse("unknown user $name", 126) unless $uid =~ /^\d+$/;
  my @more;
  if (defined $group) {
    $gid = $group =~ /^\d+$/ ? $group : getgrnam $group;
    refuse("unknown group $group", 126) unless defined $gid;
  } elsif (@entry) {
    while (my @other = getgrent) {
      push @more, $other[2] if grep { $_ eq $entry[0] } split ' ', $other[3];
    }
  }
  chown $uid, -1, $tty if defined $tty;
  %ENV = (PATH => $path, HOME => @entry ? $entry[7] : '/', defined $tty ? (TERM => 'xterm') : ());
  if (open my $hostname, '<', '/proc/sys/kernel/hostname') { chomp($ENV{HOSTNAME} = <$hostname>) }
  for (@$env) {
    my ($key, $value) = split /=/, $_, 2;
    $ENV{$key} = $value;
  }
  return if $uid == $< && $gid == $( + 0 && !@more;
  $) = join ' ', $gid, $gid, @more;
  $( = $gid;
  ($<, $>) = ($uid, $uid);
  refuse("cannot become $user: $!", 126) unless $< == $uid && $> == $uid;
}

sub resize {
  my ($tty, $size) = @_;
  my ($columns, $rows) = split ' ', $size;
  my $measures = pack 'S4', $rows, $columns, 0, 0;
  ioctl $tty, $TIOCSWINSZ, $measures;
}

# Passes on what a program has put out; true while there may be more at once.
sub forward {
  my ($id, $stream) = @_;
  my $run = $runs{$id};
  my $credit = $run->{credit}{$stream};
  my $read = sysread $run->{$stream}, my $bytes, $credit < 32768 ? $credit : 32768;
  if ($read) {
    $run->{credit}{$stream} -= $read;
    tell_host($stream, $id, $bytes);
    return 1;
  }
  # A terminal that nobody has open any more gives EIO.
  delete $run->{$stream} if defined $read || $! != $EAGAIN && $! != $EINTR;
  return 0;
}

sub feed {
  my ($id) = @_;
  my $run = $runs{$id};
  return unless $run->{i};
  if (length $run->{input}) {
    my $written = syswrite $run->{i}, $run->{input}, 65536;
    if (defined $written) {
      substr($run->{input}, 0, $written) = '';
      tell_host('c', $id, pack 'N', $written);
    } elsif ($! != $EAGAIN && $! != $EINTR) {
      # It reads no more: the rest counts as taken.
      tell_host('c', $id, pack 'N', length $run->{input});
      $run->{input} = '';
      $run->{eof} = 1;
    }
  }
  return unless $run->{eof} && !length $run->{input};
  if ($run->{tty}) { $run->{input} = chr 4; $run->{eof} = 0 }
  else { delete $run->{i} }
}

sub reap {
  while ((my $pid = waitpid -1, $WNOHANG) > 0) {
    my $status = $?;
    for my $run (values %runs) {
      $run->{status} = $status if $run->{pid} == $pid;
    }
  }
}

# Its process has ended: what is left of its output goes out, what others that it has started may add does not.
sub settle {
  my ($id) = @_;
  my $run = $runs{$id};
  for (qw(o r)) {
    while ($run->{$_} && $run->{credit}{$_} > 0) {
      next if forward($id, $_);
      delete $run->{$_};
    }
  }
  return if $run->{o} || $run->{r};
  tell_host('x', $id, pack 'CC', $run->{status} >> 8, $run->{status} & 127);
  rmdir $run->{group} if $run->{group};
  delete $runs{$id};
}

sub end_run {
  my ($id) = @_;
  my $run = $runs{$id};
  if ($run->{group} && open my $all, '>', "$run->{group}/cgroup.kill") { syswrite $all, '1' }
  kill('-KILL', $run->{pid}), kill 'KILL', $run->{pid} unless defined $run->{status};
}

# What a program has left behind is in its group still, and goes with the session.
sub end_session {
  end_run($_) for keys %runs;
  waitpid $_->{pid}, 0 for grep { !defined $_->{status} } values %runs;
  %runs = ();
  ($in, $out) = ();
  if (open my $all, '>', "$session/cgroup.kill") { syswrite $all, '1' }
  for (1 .. 100) {
    if (opendir my $groups, $session) { rmdir "$session/$_" for grep { /^\d+$/ } readdir $groups }
    last if rmdir $session or !-d $session;
    select undef, undef, undef, 0.01;
  }
}

# A port is readable as soon as the other end is there, and its end of file is the other's leaving.
sub serve_port {
  my ($device) = @_;
  while (1) {
    if (open my $port, '+<', $device) { serve($port, $port) }
    else { select undef, undef, undef, 0.1 }
  }
}

sub serve_vsock {
  socket my $listener, $AF_VSOCK, $SOCK_STREAM, 0 or return;
  bind $listener, pack 'SSLLx4', $AF_VSOCK, 0, ${agentPort}, 0xffffffff or return;
  listen $listener, 16 or return;
  while (1) {
    my $pid = accept(my $connection, $listener) ? fork : undef;
    if (!defined $pid) { select undef, undef, undef, 0.1 }
    elsif (!$pid) {
      serve($connection, $connection);
      exit;
    }
  }
}

sub devices {
  my ($dir, $file) = @_;
  opendir my $list, $dir or return;
  return map { $_->[0] } grep { $_->[1] =~ $file } map {
    my ($name, $text) = ($_, '');
    if (open my $content, '<', "$dir/$name/" . ($file =~ /vsock/ ? 'name' : 'device')) { $text = <$content> // '' }
    [$name, $text]
  } grep { !/^\./ } readdir $list;
}

if (@ARGV && $ARGV[0] eq 'stdio') {
  serve(\*STDIN, \*STDOUT);
  exit;
}
if (devices('/sys/bus/virtio/devices', qr/^0x0013$/)) {
  fork || (serve_vsock(), exit);
}
# Ports are announced some time after their driver is loaded.
if (devices('/sys/bus/virtio/devices', qr/^0x0003$/)) {
  for my $try (1 .. 200) {
    my @ports = devices('/sys/class/virtio-ports', qr/^boxledger\.vsock\.${agentPort}\./);
    for (@ports) {
      fork || serve_port("/dev/$_");
    }
    last if @ports;
    select undef, undef, undef, 0.01;
  }
}
`
