/** The part of the agent that runs programs: their beginning, their streams, their end. */
export const programs = String.raw`sub begin {
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
  syscall $SYS_rt_sigprocmask, $SIG_UNBLOCK, $sigchld, 0, 8;
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

`
