import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Box, BoxRuntime } from 'boxledger'
import { ImageError } from '../src/vmm/images/image-error.ts'
import { emulator, timeOf } from './guests.ts'
import { medianOf } from './raw.ts'
import { gatherSshFiles } from './ssh-files.ts'
import { SshConnection, type SshServer, sshServers, startServers, writeQemuWithNetwork } from './ssh-peer.ts'

/** Own figures and those of an SSH server in the same guest, measured in turns. */
export interface SshFigures {
  readonly server: SshServer
  /** medians, in `ms` */
  readonly exec: Beside
  /** medians, in `MiB/s` */
  readonly copyIn: Beside
  readonly copyOut: Beside
  /** of SSH's `exec`, what its client takes before the guest is asked, in `ms` */
  readonly client: number
}

export interface Beside {
  readonly own: number
  readonly ssh: number
}

const executions = 40
const copies = 3
const copyBytes = 16 << 20

/** The built-in guest, booted by the emulator on a QEMU that has a network card besides. */
export async function measureSsh(directory: string): Promise<SshFigures[]> {
  const files = join(directory, 'ssh-files')
  try {
    await gatherSshFiles(join(directory, 'ssh-packages'), files)
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    console.log(`  skipped, Debian's packages cannot be had: ${error.message}`)
    return []
  }
  const qemu = join(directory, 'qemu-with-network')
  const ports = await writeQemuWithNetwork(qemu)
  const runtime = await BoxRuntime.open({
    home: join(directory, 'guests'),
    vmm: { binary: ['/usr/bin/env', `BOXLEDGER_QEMU=${qemu}`, ...emulator] },
  })
  try {
    const box = await runtime.create({ name: 'ssh' })
    await box.start()
    const key = await startServers(box, files)
    const figures: SshFigures[] = []
    for (const server of sshServers) {
      const ssh = await SshConnection.open(ports[server], key, join(directory, `${server}.control`))
      const { client, ...exec } = await inTurns(executions, {
        own: () => box.exec('/bin/true'),
        ssh: () => ssh.exec('/bin/true'),
        client: () => ssh.check(),
      })
      const copied = await measureCopies(directory, box, ssh)
      await ssh.close()
      figures.push({ server, exec, ...copied, client })
    }
    return figures
  } finally {
    if (await runtime.exists('ssh')) await runtime.remove('ssh', { force: true })
    await runtime.close()
  }
}

async function measureCopies(directory: string, box: Box, ssh: SshConnection) {
  const file = join(directory, 'to-copy')
  await writeFile(file, Buffer.alloc(copyBytes, 'x'))
  const copyIn = await inTurns(copies, {
    own: () => box.copyIn(file, '/tmp/own'),
    ssh: () => ssh.copyIn(file, '/tmp/ssh'),
  })
  const copyOut = await inTurns(copies, {
    own: () => box.copyOut('/tmp/own', join(directory, 'own')),
    ssh: () => ssh.copyOut('/tmp/ssh', join(directory, 'ssh')),
  })
  const rates = ({ own, ssh }: Beside) => ({ own: rateOf(own), ssh: rateOf(ssh) })
  return { copyIn: rates(copyIn), copyOut: rates(copyOut) }
}

function rateOf(ms: number): number {
  return copyBytes / (1 << 20) / (ms / 1_000)
}

/** Medians. What else goes on at the time meets all. */
async function inTurns<Name extends string>(
  count: number,
  works: Readonly<Record<Name, () => PromiseLike<unknown>>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(works) as Name[]
  const times = new Map(names.map(name => [name, [] as number[]]))
  for (let n = 0; n < count; n += 1)
    for (const name of names) times.get(name)?.push(await timeOf(works[name]))
  return Object.fromEntries(names.map(name => [name, medianOf(times.get(name) ?? [])])) as Record<
    Name,
    number
  >
}
