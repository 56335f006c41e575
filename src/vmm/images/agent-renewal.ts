/**
 * What a guest that was restored cannot know by itself, for its perl: what time it is, and that others may have gone on
 * from where it was, with the same randomness and, of another box, with the same name, IDs and keys. It is told in one
 * piece: seconds and nanoseconds, 64 bits each, a byte that is 1 if it is another box now, a new host name or nothing, the
 * VM's UUID, both with a NUL at their end, and randomness. Gives what failed.
 *
 * The UUID is one that the kernel has kept from when it booted: another file takes the place of that. It stays open, as
 * does the kernel's randomness, for the next time: in a guest that was just restored nothing has run yet, so that under an
 * emulator all that it does costs ten times what it does later.
 */
export const renewal = String.raw`my ($random, $uuid_file);

sub set_right {
  my ($seconds, $nanoseconds, $other, $host, $uuid, $seed) = unpack 'q>q>CZ*Z*a*', shift;
  my @failed;

  my $time = pack 'qq', $seconds, $nanoseconds;
  syscall(227, 0, $time) == 0 or push @failed, "the clock: $!";

  my ($RNDRESEEDCRNG, $zero) = (0x5207, 0);
  $random ||= open_file('/dev/urandom');
  ($random && syswrite $random, $seed) or push @failed, "randomness: $!";
  if ($random) { ioctl $random, $RNDRESEEDCRNG, $zero or push @failed, "randomness: $!" }

  if (length $host) {
    syscall(170, $host, length $host) == 0 or push @failed, "the host name: $!";
    push @failed, put_line('/etc/hostname', $host) if -f '/etc/hostname';
  }
  push @failed, become_another($uuid) if $other;
  return join ', ', @failed;
}

sub become_another {
  my ($uuid) = @_;
  my @failed = put_uuid($uuid);
  my @files = grep { -f $_ && !-l $_ } qw(/etc/machine-id /var/lib/dbus/machine-id);
  if (@files) {
    if ($random && 16 == sysread $random, my $id, 16) { push @failed, put_line($_, unpack 'H*', $id) for @files }
    else { push @failed, 'the ID of the machine' }
  }
  if (opendir my $keys, '/etc/ssh') {
    my @old = grep { /^ssh_host_.*_key(\.pub)?$/ } readdir $keys;
    unlink map { "/etc/ssh/$_" } @old;
    local $ENV{PATH} = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    local $SIG{CHLD} = 'DEFAULT';
    push @failed, 'keys of the SSH server' if @old && system('ssh-keygen -A >/dev/null 2>&1') != 0;
  }
  return @failed;
}

# A file of the kernel's cannot be written to; one of a guest's own, which takes its place, can.
sub put_uuid {
  my ($uuid) = @_;
  my $known = '/sys/class/dmi/id/product_uuid';
  return unless -f $known;
  if ($uuid_file ||= open_file($known)) {
    return if sysseek $uuid_file, 0, 0 and syswrite $uuid_file, "$uuid\n";
    return "the UUID: $!";
  }
  my ($dir) = grep { -d } qw(/run /dev/shm /tmp);
  my $own = "$dir/.product_uuid";
  my $MS_BIND = 4096;
  my @failed = put_line($own, $uuid);
  chmod 0400, $own;
  syscall(165, $own, $known, 0, $MS_BIND, 0) == 0 or push @failed, "the UUID: $!";
  unlink $own;
  $uuid_file = open_file($known) unless @failed;
  return @failed;
}

# A handle that could not be opened is true all the same.
sub open_file {
  my $file;
  return open($file, '+<', shift) ? $file : undef;
}

sub put_line {
  my ($path, $text) = @_;
  my $file;
  return (open $file, '>', $path and print $file "$text\n" and close $file) ? () : "$path: $!";
}

`
