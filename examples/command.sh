#!/bin/sh
# Work in boxes by command: run, exec, cp, logs, console, stats, snapshot, clone and images, on real guests.
#
#     sh examples/command.sh               after `npm run build`, in a home of its own, removed at the end
#     BOXLEDGER_HOME=DIR sh …              in yours: the guest is then made only once
set -eu
main=$(cd "$(dirname "$0")/.." && pwd)/dist/src/cli/main.js
boxledger() { node "$main" "$@"; }
work=$(mktemp -d)
export BOXLEDGER_HOME="${BOXLEDGER_HOME:-$work/home}"
clean_up() {
  boxledger rm -f tour other >"$work/removed" 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

echo '# A command in a box of its own, which is gone with it; its exit code is the answer'
echo hi | boxledger run -i --rm --memory 128 -- sh -c 'uname -s; cat; exit 7' || echo "exit code $?"

echo '# A box whose main command goes on, and others beside it'
boxledger run -d --name tour --memory 128 -- sh -c 'echo begun; while sleep 0.1; do echo >>/tmp/ticks; done' >"$work/id"
boxledger exec -e WHO=you -w /tmp tour -- sh -c 'echo "$WHO in $PWD"; test -s ticks && echo it ticks'
boxledger logs tour
boxledger console tour | grep ready
boxledger stats tour

echo '# Files in and out'
mkdir "$work/in" && echo 'there and back' >"$work/in/file"
boxledger cp "$work/in" tour:/srv/ >"$work/copied"
boxledger exec tour -- sh -c 'tr a-z A-Z </srv/in/file >/srv/in/loud'
boxledger cp tour:/srv/in/loud "$work/loud" >"$work/copied"
cat "$work/loud"

echo '# Saved with its memory, it goes on from there, and so does another one'
boxledger snapshot create tour then
boxledger snapshot ls tour
boxledger stop tour >"$work/stopped"
boxledger snapshot restore tour then >"$work/restored"
boxledger exec tour -- sh -c 'cat /srv/in/loud; test -s /tmp/ticks && echo it ticks on'
boxledger stop tour >"$work/stopped"
boxledger clone --name other --snapshot then tour >"$work/id"
boxledger exec other -- sh -c 'echo "$(hostname) has $(cat /srv/in/loud)"'

echo '# What boxes are made of: an image whose boxes keep what they write'
boxledger images add kept-files --root builtin --size 64
boxledger images
boxledger images rm kept-files
