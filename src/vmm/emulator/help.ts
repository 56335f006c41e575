/** What `--version` prints: the release whose behaviour is emulated, in that program's own words. */
export const VERSION = 'cloud-hypervisor v53.0.0\nMigration Protocol Versions: 0\n'

export const USAGE = 'Usage: boxledger-vmm [OPTIONS]'

export function formatHelp(): string {
  return `An emulator of cloud-hypervisor's process and HTTP API, for machines that cannot run it.

${USAGE}

Options of its own:
      --backend <qemu|none>
          What runs the guest: qemu-system-x86_64, or nothing at all [default: qemu]
      --accel <tcg|kvm>
          How QEMU runs it: software emulation, or KVM where that works [default: tcg]
      --fault <SPEC>
          Misbehave on purpose; may be given several times. SPEC is KIND[:CALL][,KEY=VALUE]...
            hang:CALL                                  never answer, this and all later calls
            slow:CALL,ms=N                             wait first
            die:CALL[,when=before|after][,exit=CODE]   SIGKILL itself, or exit with CODE
            answer:CALL[,status=N][,when=before|after][,body=TEXT]
                                                       a wrong answer; body= runs to the end
            cut:CALL[,when=before|after]               close the connection without an answer
            garbage:CALL[,body=TEXT]   endless:CALL    bytes that are no answer; one without an end
            slow-start,ms=N   no-socket   exit-at-start[,code=N]
            ignore-sigterm    ignore-power-button   silent-guest   lose-events
            flood-events   flood-serial   flood-console   flood-log   flood-output
                         [,mibps=N][,ms=N]; the first with events=A+B, the others with body=TEXT
          CALL is vm.boot, vmm.ping ... or *; with it nth=N (the N-th only) or times=N (the first N).
          A word boxledger.fault=SPEC on the guest's command line does the same for that VM.

Options of cloud-hypervisor:
      --api-socket <api-socket>
          HTTP API socket (UNIX domain socket): path=<path> or fd=<fd>
      --event-monitor <event-monitor>
          Path to report events on: path=<path> or fd=<fd>
      --log-file <log-file>
          Log file. Standard error is used if not specified
      --no-shutdown
          Do not exit when the guest shuts down
      --seccomp <true|false|log|errno>, --landlock, --landlock-rules <rule>..., --log-format <format>
          Accepted; QEMU always runs in its own sandbox
      --kernel, --firmware, --initramfs, --cmdline, --cpus, --memory, --disk, --net, --rng, --serial, --console,
      --debug-console, --vsock, --balloon, --platform, --pvpanic, --watchdog, --restore
          A VM to boot or restore at once
  -v...
          Sets the level of debugging output
  -V, --version
          Print the version emulated
  -h, --help
          Print help
`
}
