import { agentVersion } from './agent-protocol.ts'

/** The part of the agent that speaks on a channel. */
export const session = String.raw`sub tell_host {
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
  # A handler of perl's runs between its own steps: a death right before a select would be heard after it only.
  local $SIG{CHLD} = 'DEFAULT';
  syscall $SYS_rt_sigprocmask, $SIG_BLOCK, $sigchld, 0, 8;
  my $signals = syscall $SYS_signalfd4, -1, $sigchld, 8, $O_NONBLOCK | $O_CLOEXEC;
  open my $died, '<&=', $signals or die "no signals: $!\n";
  $buffer = '';
  mkdir $session = "$group/session-$$-" . $sessions++;
  eval {
    # Here it waits for a host.
    tell_host('h', 0, "${agentVersion}");
    # Nothing runs yet that could be missed. A guest that was restored is told at once who it is, and is quicker to hear it so.
    hear();
    take();
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
      take();
    }
  };
  end_session();
}

# Does what was heard, as far as it is complete.
sub take {
  while (length $buffer >= 9) {
    my ($type, $id, $length) = unpack 'aNN', $buffer;
    die "nonsense\n" if $length > $longest;
    last if length $buffer < 9 + $length;
    my $content = substr $buffer, 9, $length;
    substr($buffer, 0, 9 + $length) = '';
    obey($type, $id, $content);
  }
}

sub obey {
  my ($type, $id, $content) = @_;
  if ($type eq 'x') {
    return if eval { begin($id, $content); 1 };
    tell_host('r', $id, "boxledger: $@");
    return tell_host('x', $id, pack 'CC', 126, 0);
  }
  if ($type eq 'z') {
    $stays = $content;
    return tell_host('z', $id, $content);
  }
  if ($type eq 'b') {
    tell_host('b', $id, set_right($content));
    return reap();
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

# What a program has left behind is in its group still, and goes with the session.
sub end_session {
  if ($stays) {
    # This VM goes on from a snapshot: what runs in it does too, and nobody is there to see it.
    ($stays, $in, $out) = (0);
    %runs = ();
    return;
  }
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

`
