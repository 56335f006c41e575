/**
 * What a guest that was restored cannot know by itself, for its perl: what time it is, and that others may have gone on
 * from where it was, with the same randomness and, of another box, with the same name, IDs and keys. It is told in one
 * line: seconds, nanoseconds, 1 if it is another box now, new host name or `-`, the VM's UUID, randomness in hex. Gives what
 * failed. The UUID is one that the kernel has kept from when it booted: another file takes the place of that.
 */
export const renewal = String.raw`sub set_right {
  my ($seconds, $nanoseconds, $other, $host, $uuid, $seed) = split ' ', shift;
  my @failed;
  my $put = sub {
    my ($path, $text) = @_;
    my $file;
    (open $file, '>', $path and print $file "$text\n" and close $file) or push @failed, "$path: $!";
  };

  my $time = pack 'qq', $seconds, $nanoseconds;
  syscall(227, 0, $time) == 0 or push @failed, "the clock: $!";

  my ($RNDRESEEDCRNG, $zero) = (0x5207, 0);
  my $random;
  (open $random, '+<', '/dev/urandom' and syswrite $random, pack('H*', $seed)) or push @failed, "randomness: $!";
  if ($random) { ioctl $random, $RNDRESEEDCRNG, $zero or push @failed, "randomness: $!" }

  if ($host ne '-') {
    syscall(170, $host, length $host) == 0 or push @failed, "the host name: $!";
    $put->('/etc/hostname', $host) if -f '/etc/hostname';
  }
  if ($other) {
    my $read = $random && sysread $random, my $id, 16;
    push @failed, 'the ID of the machine' unless $read && $read == 16;
    for (qw(/etc/machine-id /var/lib/dbus/machine-id)) {
      $put->($_, unpack 'H*', $id) if -f $_ && !-l $_;
    }
    # A file of the kernel's cannot be written to; one of a guest's own, which was put there before, can.
    my ($known, $file) = '/sys/class/dmi/id/product_uuid';
    if (!(open $file, '>', $known and print $file "$uuid\n" and close $file) && -f $known) {
      my ($dir) = grep { -d } qw(/run /dev/shm /tmp);
      my $own = "$dir/.product_uuid";
      my $MS_BIND = 4096;
      $put->($own, $uuid);
      chmod 0400, $own;
      syscall(165, $own, $known, 0, $MS_BIND, 0) == 0 or push @failed, "the UUID: $!";
      unlink $own;
    }
    if (opendir my $keys, '/etc/ssh') {
      my @old = grep { /^ssh_host_.*_key(\.pub)?$/ } readdir $keys;
      unlink map { "/etc/ssh/$_" } @old;
      local $ENV{PATH} = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
      local $SIG{CHLD} = 'DEFAULT';
      push @failed, 'keys of the SSH server' if @old && system('ssh-keygen -A >/dev/null 2>&1') != 0;
    }
  }
  return join ', ', @failed;
}

`
