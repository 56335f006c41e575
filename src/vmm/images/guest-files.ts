import { agentScript } from './agent.ts'
import type { CpioEntry } from './cpio.ts'
import { initScript } from './init.ts'
import { dependencyList, guestModules, type KernelModule, rootModules } from './modules.ts'

export interface GuestParts {
  /** The static busybox program */
  readonly busybox: Buffer
  /** The names it can be called by */
  readonly applets: readonly string[]
  /** What `uname -r` says in the guest */
  readonly release: string
  readonly modules: readonly KernelModule[]
  /** What the agent runs on */
  readonly perl: readonly CpioEntry[]
}

const directories = [
  'proc',
  'sys',
  'run',
  'mnt',
  'home',
  'var',
  'usr',
  'usr/local',
  'usr/local/bin',
  'usr/local/sbin',
]

const text: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n',
  'etc/group': 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nnogroup:x:65534:\n',
  'etc/fstab': [
    'devpts /dev/pts devpts nosuid,noexec,gid=5,mode=620,ptmxmode=666 0 0',
    'shm /dev/shm tmpfs nosuid,nodev,mode=1777 0 0',
    'run /run tmpfs nosuid,nodev,mode=755 0 0',
    'tmp /tmp tmpfs nosuid,nodev,mode=1777 0 0',
    'cgroup /sys/fs/cgroup cgroup2 nosuid,nodev,noexec 0 0\n',
  ].join('\n'),
  'etc/modules': `${guestModules.join('\n')}\n`,
  'etc/root-modules': `${rootModules.join('\n')}\n`,
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/os-release': 'ID=boxledger\nNAME=boxledger\nPRETTY_NAME="boxledger built-in guest"\n',
}

/** Everything in the first file system of the built-in guest. */
export function guestEntries({ busybox, applets, release, modules, perl }: GuestParts): CpioEntry[] {
  return [
    // The kernel makes the root itself, and lets everybody write to it.
    { type: 'directory', path: '.' },
    ...directories.map(path => ({ type: 'directory', path }) as const),
    { type: 'directory', path: 'root', mode: 0o700 },
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    // What the kernel opens for PID 1, and what PID 1 needs before it has mounted /dev.
    { type: 'characterDevice', path: 'dev/console', mode: 0o600, device: [5, 1] },
    { type: 'characterDevice', path: 'dev/null', mode: 0o666, device: [1, 3] },
    { type: 'file', path: 'init', mode: 0o755, data: Buffer.from(initScript) },
    { type: 'file', path: 'bin/boxledger-agent', mode: 0o755, data: Buffer.from(agentScript) },
    ...perl,
    { type: 'file', path: 'bin/busybox', mode: 0o755, data: busybox },
    ...applets
      .filter(name => name !== 'busybox')
      .map(name => ({ type: 'link', path: `bin/${name}`, target: 'busybox' }) as const),
    { type: 'link', path: 'sbin', target: 'bin' },
    { type: 'link', path: 'usr/bin', target: '../bin' },
    { type: 'link', path: 'usr/sbin', target: '../bin' },
    { type: 'link', path: 'var/run', target: '/run' },
    { type: 'link', path: 'var/tmp', target: '/tmp' },
    ...Object.entries(text).map(([path, data]) => ({ type: 'file', path, data: Buffer.from(data) }) as const),
    ...modules.map(
      ({ name, data }) => ({ type: 'file', path: `lib/modules/${release}/${name}.ko`, data }) as const,
    ),
    { type: 'file', path: `lib/modules/${release}/modules.dep`, data: Buffer.from(dependencyList(modules)) },
  ]
}
