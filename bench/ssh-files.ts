import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { kernelOf } from '../src/vmm/images/builtin.ts'
import {
  type DebianPackage,
  openPackageSource,
  type PackageSource,
  readPackageFiles,
} from '../src/vmm/images/debian-packages.ts'
import { runTool } from '../src/vmm/images/host-tool.ts'
import { ImageError } from '../src/vmm/images/image-error.ts'

/** Loaded in this order. */
export const networkModules = ['failover', 'net_failover', 'virtio_net'] as const

const servers = ['openssh-server', 'openssh-sftp-server', 'dropbear-bin']
const isLibrary = (name: string) => /^(lib(?!pam-)|zlib)/.test(name)
const unneeded = ['usr/share', 'usr/lib/x86_64-linux-gnu/gconv', 'usr/lib/locale', 'etc', 'var']

/** Puts Debian's SSH servers with their libraries, and modules for a network, into a directory. */
export async function gatherSshFiles(workplace: string, root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  const source = openPackageSource({ dir: workplace })
  for (const deb of await source.downloadAll(await closureOf(source, servers)))
    await runTool({ command: 'dpkg-deb', args: ['--extract', deb, root], package: 'dpkg' })
  for (const path of unneeded) await rm(join(root, path), { recursive: true, force: true })
  await gatherModules(source, root)
}

async function closureOf(source: PackageSource, names: readonly string[]): Promise<DebianPackage[]> {
  const closure = new Map<string, DebianPackage>()
  for (let wanted = [...names]; wanted.length > 0; ) {
    const found = await source.find(wanted)
    for (const one of found) closure.set(one.name, one)
    const needed = found.flatMap(({ depends }) =>
      depends.split(/, */).map(word => word.split(/[ :|]/)[0] ?? ''),
    )
    wanted = [...new Set(needed)].filter(name => isLibrary(name) && !closure.has(name))
  }
  return [...closure.values()]
}

/** As they are packed: the guest unpacks what is packed. */
async function gatherModules(source: PackageSource, root: string): Promise<void> {
  const [meta] = await source.find(['linux-image-cloud-amd64'])
  const kernel = kernelOf(meta?.depends ?? '', meta?.version ?? '')
  if (kernel === undefined)
    throw new ImageError('UNSUPPORTED', 'linux-image-cloud-amd64 names no kernel package')
  const wanted = new RegExp(`/(${networkModules.join('|')})\\.ko(\\.xz)?$`)
  const files = await readPackageFiles(await source.download(kernel), path => wanted.test(path))
  for (const { path, data } of files) await writeFile(join(root, basename(path)), data)
}
