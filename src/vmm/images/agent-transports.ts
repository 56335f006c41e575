import { agentPort } from './agent-protocol.ts'

/** The part of the agent that finds its channels, and where it begins. */
export const transports = String.raw`# A port is readable as soon as the other end is there, and its end of file is the other's leaving.
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
