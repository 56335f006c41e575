/**
 * A Debian machine in a directory: `apt-cache`, `apt-get` and `dpkg-deb` as scripts that serve made-up packages, so that
 * making an image can be tested without a network. The kernel in it is a bzImage of a few hundred bytes.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface FakeDebian {
  /** To be put first on PATH */
  readonly bin: string
  /** A line per call of a program, `apt-get update …` */
  readonly log: string
  /** While this file exists, downloads wait */
  readonly hold: string
}

export interface FakeDebianOptions {
  /** The system's package lists: 'stale' ones name files that are gone. Default 'fresh' */
  readonly lists?: 'fresh' | 'stale' | 'missing'
  /** Whether the mirror can be reached. Default true */
  readonly network?: boolean
  readonly kernel?: Buffer
}

export function makeFakeDebian(dir: string, options: FakeDebianOptions = {}): FakeDebian {
  const { lists = 'fresh', network = true, kernel = fakeKernel() } = options
  const bin = join(dir, 'bin')
  const log = join(dir, 'log')
  const hold = join(dir, 'hold')
  mkdirSync(bin, { recursive: true })
  writeFileSync(log, '')
  const packages = join(dir, 'packages')
  pack(packages, 'linux-image-6.1.0-99-cloud-amd64', {
    'boot/vmlinuz-6.1.0-99-cloud-amd64': kernel,
    'lib/modules/6.1.0-99-cloud-amd64/modules.builtin': Buffer.from(
      [
        'virtio_console',
        'button',
        'evdev',
        'virtio_blk',
        'virtio-rng',
        'pvpanic-pci',
        'vmw_vsock_virtio_transport',
      ]
        .map(name => `kernel/drivers/${name}.ko\n`)
        .join(''),
    ),
    ...Object.fromEntries(
      (
        [
          ['virtio/virtio_pci', 'virtio,surprise'],
          ['virtio/virtio', ''],
          ['misc/surprise', ''],
          ['fs/overlay', ''],
          ['fs/ext4/ext4', 'crc16'],
          ['lib/crc16', ''],
        ] as const
      ).map(([path, depends]) => [
        `lib/modules/6.1.0-99-cloud-amd64/kernel/${path}.ko`,
        fakeModule(path, depends),
      ]),
    ),
  })
  pack(packages, 'busybox-static', {
    'bin/busybox': Buffer.from('#!/bin/sh\nprintf "%s\\n" busybox env sh\n'),
  })
  pack(packages, 'perl-base', {
    'usr/bin/perl': Buffer.from('perl'),
    'usr/lib/x86_64-linux-gnu/perl-base/strict.pm': Buffer.from('1;'),
    'usr/lib/x86_64-linux-gnu/perl-base/warnings.pm': Buffer.from('not wanted'),
  })
  pack(packages, 'libc6', {
    'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2': Buffer.from('ld'),
    'lib/x86_64-linux-gnu/libc.so.6': Buffer.from('c'),
    'lib/x86_64-linux-gnu/libm.so.6': Buffer.from('m'),
  })
  pack(packages, 'libcrypt1', { 'usr/lib/x86_64-linux-gnu/libcrypt.so.1.1.0': Buffer.from('crypt') })

  const script = (name: string, lines: readonly string[]) => {
    writeFileSync(join(bin, name), ['#!/bin/sh', `echo "${name} $*" >>${log}`, ...lines, ''].join('\n'))
    chmodSync(join(bin, name), 0o755)
  }
  const stanza = (name: string, version: string, depends: string) =>
    `printf 'Package: ${name}\\nVersion: ${version}\\nDepends: ${depends}\\n\\n'`
  // A private copy of the lists is asked for with Dir::State::Lists.
  const isPrivate = 'case "$*" in *Dir::State::Lists=*) private=1 ;; *) private= ;; esac'
  script('apt-cache', [
    isPrivate,
    `[ -n "$private" ] || [ ${lists} != missing ] || { echo 'E: No packages found' >&2; exit 100; }`,
    stanza('linux-image-cloud-amd64', '6.1.200-1', 'linux-image-6.1.0-99-cloud-amd64 (= 6.1.200-1)'),
    stanza('linux-image-6.1.0-99-cloud-amd64', '6.1.200-1', 'kmod'),
    stanza('busybox-static', '1:1.35.0-4', ''),
    stanza('perl-base', '5.36.0-7', ''),
    stanza('libc6', '2.36-9', ''),
    stanza('libcrypt1', '1:4.4.33-2', ''),
  ])
  script('apt-get', [
    isPrivate,
    `${network} || { echo 'E: Could not resolve deb.debian.org' >&2; exit 100; }`,
    'case "$*" in *update*) exit 0 ;; esac',
    `[ -n "$private" ] || [ ${lists} != stale ] || { echo 'E: 404 Not Found' >&2; exit 100; }`,
    `while [ -e ${hold} ]; do sleep 0.02; done`,
    // The last word is NAME=VERSION.
    'for word; do :; done',
    `cp ${packages}/"\${word%%=*}".tar "\${word%%=*}.deb"`,
  ])
  script('dpkg-deb', ['exec cat "$2"'])
  return { bin, log, hold }
}

function pack(dir: string, name: string, files: Readonly<Record<string, Buffer>>): void {
  const root = join(dir, name)
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), data)
  }
  const run = spawnSync('tar', ['-cf', `${root}.tar`, '-C', root, '.'])
  if (run.status !== 0) throw new Error(run.stderr.toString())
}

export function fakeModule(name: string, depends: string): Buffer {
  const start = Buffer.from('7f454c46', 'hex')
  return Buffer.concat([start, Buffer.from(`${name}\0license=GPL\0depends=${depends}\0name=${name}\0`)])
}

/** An ELF64 header with one program header that points at one note. */
export function fakeElf(name = 'Xen\0', type = 18): Buffer {
  const elf = Buffer.alloc(64 + 56 + 12 + 4 + 4)
  elf.write('\x7fELF\x02', 'latin1')
  elf.writeBigUInt64LE(64n, 32)
  elf.writeUInt16LE(56, 54)
  elf.writeUInt16LE(1, 56)
  elf.writeUInt32LE(4, 64)
  elf.writeBigUInt64LE(120n, 64 + 8)
  elf.writeBigUInt64LE(20n, 64 + 32)
  elf.writeUInt32LE(name.length, 120)
  elf.writeUInt32LE(4, 124)
  elf.writeUInt32LE(type, 128)
  elf.write(name, 132, 'latin1')
  return elf
}

/** A bzImage around a payload. */
export function fakeKernel(payload: Buffer = gzipSync(fakeElf())): Buffer {
  const header = Buffer.alloc(1024)
  header[0x1f1] = 1
  header.write('HdrS', 0x202, 'latin1')
  header.writeUInt32LE(16, 0x248)
  header.writeUInt32LE(payload.length, 0x24c)
  return Buffer.concat([header, Buffer.alloc(16), payload, Buffer.alloc(100)])
}
