import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Box } from 'boxledger'
import { networkModules } from './ssh-files.ts'

/** Where the servers' files are in the guest. */
export const place = '/opt/ssh'
const libraries = `LD_LIBRARY_PATH=${place}/lib/x86_64-linux-gnu:${place}/usr/lib/x86_64-linux-gnu`

/** What each server listens on in the guest. */
const servers = { OpenSSH: 22, dropbear: 2222 } as const
export type SshServer = keyof typeof servers
export const sshServers = Object.keys(servers) as SshServer[]

/** Host ports that lead to the servers. */
export type SshPorts = Readonly<Record<SshServer, number>>

/**
 * A program that is QEMU with a network card more, behind which is QEMU's user networking: the way to a guest's SSH
 * that is usual where there is no bridge. All else is as the emulator has it.
 */
export async function writeQemuWithNetwork(path: string): Promise<SshPorts> {
  const ports = { OpenSSH: await freePort(), dropbear: await freePort() }
  const forwards = sshServers.map(name => `hostfwd=tcp:127.0.0.1:${ports[name]}-10.0.2.15:${servers[name]}`)
  const netdev = ['user', 'id=ssh', 'restrict=on', ...forwards].join(',')
  const words = `-netdev ${netdev} -device virtio-net-pci,netdev=ssh`
  await writeFile(path, `#!/bin/sh\nexec qemu-system-x86_64 "$@" ${words}\n`, { mode: 0o700 })
  return ports
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port is free')
  return address.port
}

const begin = `
set -ex
cd ${place}
for file in *.ko.xz; do [ ! -e "$file" ] || unxz "$file"; done
for module in ${networkModules.join(' ')}; do [ ! -e "$module.ko" ] || insmod "$module.ko"; done
until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
mkdir -p /root/.ssh /run/sshd /etc/dropbear
chmod 700 /root/.ssh
cp authorized_keys /root/.ssh/
chown 0:0 / /root
chmod 755 /
[ -e /usr/lib/openssh ] || ln -s ${place}/usr/lib/openssh /usr/lib/openssh
printf '#!/bin/sh\\n%s exec %s\\n' '${libraries}' ${place}/usr/lib/openssh/sftp-server >/usr/lib/sftp-server
chmod 755 /usr/lib/sftp-server
echo /bin/sh >/etc/shells
echo 'sshd:x:100:65534::/run/sshd:/bin/false' >>/etc/passwd
chmod 600 host_key
printf '%s\\n' 'Port ${servers.OpenSSH}' 'HostKey ${place}/host_key' 'PermitRootLogin yes' 'UsePAM no' \\
  'Subsystem sftp /usr/lib/sftp-server' >sshd_config
export ${libraries}
${place}/usr/sbin/sshd -f ${place}/sshd_config -E ${place}/log </dev/null >/dev/null 2>&1
./usr/sbin/dropbear -R -p ${servers.dropbear} </dev/null >/dev/null 2>&1
`

/** Starts both servers in a guest that is up; `files` is a directory with what `gatherSshFiles` has put there. */
export async function startServers(box: Box, files: string): Promise<string> {
  const key = join(files, 'client_key')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(files, 'host_key')])
  await run('cp', [`${key}.pub`, join(files, 'authorized_keys')])
  await box.copyIn(files, place)
  const { exitCode, stderr } = await box.exec('sh', ['-c', begin])
  if (exitCode !== 0) throw new Error(`The SSH servers did not start: ${stderr}`)
  return key
}

/** One held connection to a guest's SSH server. */
export class SshConnection {
  readonly #port: string
  readonly #options: readonly string[]

  private constructor(port: number, key: string, control: string) {
    const words = {
      IdentityFile: key,
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ControlPath: control,
    }
    this.#port = String(port)
    this.#options = [
      '-F',
      'none',
      ...Object.entries(words).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ]
  }

  static async open(port: number, key: string, control: string): Promise<SshConnection> {
    const connection = new SshConnection(port, key, control)
    await connection.#ssh(['-o', 'ControlMaster=yes', '-o', 'ConnectTimeout=60', '-f', '-N'])
    return connection
  }

  /** Asks the held connection, and not the guest. */
  check(): Promise<void> {
    return this.#control('check')
  }

  exec(program: string): Promise<void> {
    return this.#ssh([], program)
  }

  copyIn(from: string, to: string): Promise<void> {
    return run('scp', ['-q', '-P', this.#port, ...this.#options, from, `root@127.0.0.1:${to}`])
  }

  copyOut(from: string, to: string): Promise<void> {
    return run('scp', ['-q', '-P', this.#port, ...this.#options, `root@127.0.0.1:${from}`, to])
  }

  close(): Promise<void> {
    return this.#control('exit')
  }

  /** What it then says of itself is left out. */
  #control(what: string): Promise<void> {
    return run('ssh', [...this.#options, '-O', what, 'root@127.0.0.1'], 'ignore')
  }

  #ssh(options: readonly string[], ...words: readonly string[]): Promise<void> {
    return run('ssh', ['-p', this.#port, ...this.#options, ...options, 'root@127.0.0.1', ...words])
  }
}

async function run(
  command: string,
  args: readonly string[],
  stderr: 'inherit' | 'ignore' = 'inherit',
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', stderr] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}
