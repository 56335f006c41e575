/**
 * `/init` of the built-in guest, a script for busybox's shell. What it promises to the outside:
 *
 * - Lines on the serial console, each ended by CR LF: `boxledger: ready` once the power button is being watched and
 *   right before a main command starts; `boxledger: command exited N` after it, sent in full before the power goes off.
 * - A main command (`/box`, see overlay.ts) talks on /dev/hvc0, which is raw: every byte of its output, as it is. The
 *   first 256 KiB also show on the console. Without such a port all of it goes to the console, and its input is empty.
 * - An agent runs programs for the owner of the box, see agent-protocol.ts.
 * - The power button ends the guest: the command gets SIGTERM (without one: all get SIGTERM and SIGHUP), a second later
 *   whatever is left is killed.
 *
 * With `boxledger.root=DEVICE` on the kernel's command line the root file system is that disk's, ext4: /run and the other
 * file systems of the kernel move there, in /run what is ours, and the script begins anew in it. The disk is the user's:
 * it need have nothing of ours, not even a shell, and is changed by nothing but directories to mount these on.
 *
 * How: PID 1 waits in the foreground for the command or the console's shell, and so also reaps what is orphaned; it
 * never polls. (A command in the background would start with SIGINT and SIGQUIT ignored.) Another process blocks on
 * the button's event device. What the guest runs lives in one cgroup, so that it can be killed as a whole. Nothing
 * that the user gave is ever parsed as shell: it is read NUL by NUL into "$@".
 */
export const initScript = `#!/bin/sh
umask 022
state=/run/boxledger
ours=/run/boxledger-guest
tools=/bin given=/box root=
[ "$1" = entered ] && tools=$ours/bin given=$state/box
export PATH=$tools HOME=/ TERM=linux
box=/sys/fs/cgroup/box
serial=/dev/ttyS0
shown_bytes=262144

set_up() {
  mount -t proc -o nosuid,nodev,noexec proc /proc
  mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
  # The rest is in /etc/fstab, and the modules in one call: each program costs a boot 10 ms under software emulation.
  mount -t devtmpfs -o nosuid dev /dev
  mkdir -p /dev/pts /dev/shm
  mount -a
  mkdir -m 700 $state $box
  modprobe -a $(cat /etc/modules)
  set -f
  for word in $(cat /proc/cmdline); do
    case $word in
      boxledger.name=*) hostname "\${word#*=}" ;;
      boxledger.root=*) root=/dev/\${word#*=} ;;
    esac
  done
  set +f
  ip link set lo up
}

# Never comes back. What is ours may not be closed to others, who run it too.
enter_root() {
  modprobe -a $(cat /etc/root-modules)
  tries=0
  until [ -b $root ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || give_up "there is no $root"
    usleep 10000
  done
  mkdir /newroot
  mount -t ext4 $root /newroot || give_up "$root holds no ext4 file system that can be mounted"
  mkdir -p $ours/lib
  cp -a /bin $ours/bin
  cp -L /lib64/* /lib/x86_64-linux-gnu/* /usr/lib/x86_64-linux-gnu/perl-base/* $ours/lib
  cp /init $ours/init
  [ -e $given ] && cp -a $given $state/box
  umount /tmp
  mkdir -p -m 1777 /newroot/tmp
  for dir in dev proc sys run; do
    mkdir -p /newroot/$dir
    mount --move /$dir /newroot/$dir || give_up "the disk has no directory /$dir, and none can be made"
  done
  exec switch_root /newroot $ours/bin/sh $ours/init entered
}

# The end of PID 1 is a panic, of which the VMM hears. A reboot would begin the console anew.
give_up() {
  echo 0 >/proc/sys/kernel/panic
  echo "boxledger: no root file system: $1" >$serial
  send_all
  exit 1
}

# stty sets the terminal only after everything written to it has been sent.
send_all() {
  stty -F $serial opost
}

# The device is opened here, so that a press counts from now on; each read afterwards is one press or part of it.
watch_button() {
  for file in /sys/class/input/event*/device/name; do
    read -r label <$file || continue
    [ "$label" = "Power Button" ] || continue
    device=\${file#/sys/class/input/}
    exec 5</dev/input/\${device%%/*}
    while dd bs=4096 count=1 of=/dev/null 2>/dev/null; do stop_box; done <&5 &
    exec 5<&-
  done
}

stop_box() {
  [ -e $state/stopping ] && return
  echo >$state/stopping
  if [ -e $given/command ]; then
    # No pid yet: the command looks for the file above before it starts.
    read -r pid <$state/pid && kill -TERM $pid
  else
    while read -r pid; do kill -TERM $pid; kill -HUP $pid; done <$box/cgroup.procs
  fi
  sleep 1
  echo 1 >$box/cgroup.kill
}

# Virtio ports are announced some time after their driver is loaded.
find_port() {
  grep -qsx 0x0003 /sys/bus/virtio/devices/*/device || return 1
  tries=0
  until (exec <>/dev/hvc0) 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || return 1
    usleep 10000
  done
}

# Sets code. All output goes through one pipe to the port and to the console.
run_command() {
  mkfifo -m 600 $state/output
  if find_port; then
    exec 4<>/dev/hvc0
    stty raw -echo <&4
    # The console takes some 200 kB/s under software emulation, the port ten times as much.
    mkfifo -m 600 $state/shown
    tee $state/shown <$state/output >&4 &
    { head -c $shown_bytes; [ $(wc -c) -eq 0 ] || echo "boxledger: further output is on the port only"; } \\
      <$state/shown >$serial &
    shown=$!
  else
    exec 4</dev/null
    cat <$state/output >$serial &
    shown=
  fi
  copier=$!
  exec 3>$state/output
  echo "boxledger: ready" >$serial
  (become_command) <&4 >&3 2>&3 3>&- 4>&-
  code=$?
  rm -f $state/pid
  echo 1 >$box/cgroup.kill
  exec 3>&-
  # Ends with the last writer, which is dead by now unless it left its cgroup.
  (sleep 10; kill -KILL $copier $shown) &
  wait $copier $shown
  exec 4>&-
}

fail() {
  echo "boxledger: $1" >&2
  exit 126
}

# From here to the last exec it is one process, whose pid is the command's.
become_command() {
  echo 0 >$box/cgroup.procs
  read -r pid rest </proc/self/stat
  echo $pid >$state/pid
  [ -e $state/stopping ] && exit 143
  login= home=/root
  [ -e $given/user ] && find_user
  dir=/
  [ -e $given/workdir ] && IFS= read -r -d '' dir <$given/workdir
  mkdir -p "$dir" && cd "$dir" || fail "cannot enter the working directory $dir"

  set -- -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" HOSTNAME="$(hostname)"
  [ -e $given/env ] && while IFS= read -r -d '' word; do set -- "$@" "$word"; done <$given/env
  # env would take a command with a = in its name for a variable; setsid takes it as it is.
  set -- "$@" $tools/setsid --
  while IFS= read -r -d '' word; do set -- "$@" "$word"; done <$given/command
  [ -n "$login" ] && exec su -p -s $tools/env -- "$login" "$@"
  exec $tools/env "$@"
}

# Sets login, for su, and home from what was given: NAME, UID, either with :GROUP or :GID. As with docker, a number needs no
# entry in /etc/passwd, and has group 0 then.
find_user() {
  IFS= read -r -d '' user <$given/user
  group=
  case $user in *:*) group=\${user#*:} ;; esac
  user=\${user%%:*}
  uid= gid= name=
  while IFS=: read -r n x u g x h x; do
    [ "$n" = "$user" ] || [ "$u" = "$user" ] || continue
    name=$n uid=$u gid=$g home=$h
    break
  done </etc/passwd
  if [ -z "$uid" ]; then
    case $user in *[!0-9]*) fail "unknown user $user" ;; esac
    uid=$user gid=0 home=/
  fi
  if [ -n "$group" ]; then
    gid=
    while IFS=: read -r n x g x; do
      [ "$n" = "$group" ] && gid=$g && break
    done </etc/group
    if [ -z "$gid" ]; then
      case $group in *[!0-9]*) fail "unknown group $group" ;; esac
      gid=$group
    fi
    name=
  fi
  login=$name
  [ -n "$login" ] && return
  login=boxledger
  # On a disk there may be one of the start before.
  sed -i '/^boxledger:/d' /etc/passwd
  echo "$login:x:$uid:$gid::$home:/bin/sh" >>/etc/passwd
}

# A shell on the console, again and again.
run_shells() {
  mkfifo -m 600 $state/idle
  console=
  for name in ttyS0 hvc0; do
    (exec <>/dev/$name) 2>/dev/null && console=/dev/$name && break
  done
  echo "boxledger: ready" >$serial
  while [ ! -e $state/stopping ]; do
    (become_shell)
    [ -e $state/stopping ] || sleep 1
  done
  # The shell is gone first; the others have what is left of their second.
  while grep -q 'populated 1' $box/cgroup.events; do usleep 20000; done
}

become_shell() {
  echo 0 >$box/cgroup.procs
  [ -e $state/stopping ] && exit
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
  cd /root || cd /
  [ -n "$console" ] || exec cat $state/idle
  shell=/bin/sh
  [ -x $shell ] || shell=$tools/sh
  exec setsid -c $shell -l <>$console >&0 2>&0
}

power_off() {
  while read -r device dir rest; do
    case $device in /dev/*) umount -r "$dir" ;; esac
  done </proc/mounts
  send_all
  poweroff -f
}

# In the background: it waits for the ports that it serves, which nobody else needs to wait for.
start_agent() {
  [ $tools = /bin ] || set -- $ours/lib/ld-linux-x86-64.so.2 --library-path $ours/lib $tools/perl -I$ours/lib
  "$@" $tools/boxledger-agent </dev/null >/dev/null 2>&1 &
}

exec 2>/dev/null
if [ "$1" != entered ]; then
  set_up
  [ -n "$root" ] && enter_root
fi
watch_button
start_agent
if [ -e $given/command ]; then
  run_command
  printf '\\nboxledger: command exited %d\\n' $code >$serial
else
  run_shells
fi
power_off
`

/** The line that says the guest is up. Match it with any end of line: terminals send CR LF. */
export const readyLine = 'boxledger: ready'

/** The line that carries the main command's exit code; 128 + N after signal N. */
export const exitLine = /^boxledger: command exited (\d{1,3})\r?$/m
