import { ImageError } from './image-error.ts'
import type { TarFile } from './tar.ts'
import { type Unpackers, unpack } from './unpack.ts'

/**
 * What the built-in guest loads, in this order, each after what it depends on: PCI virtio with its devices, the power
 * button and a reader for it, the panic device, vsock, overlayfs. In some kernels part of them is built in.
 */
export const guestModules = [
  'virtio_pci',
  'virtio_console',
  'button',
  'evdev',
  'virtio_blk',
  'virtio_rng',
  'pvpanic_pci',
  'vmw_vsock_virtio_transport',
  'overlay',
] as const

/** What a root file system on a disk needs besides, loaded where there is one. */
export const rootModules = ['crc32c_generic', 'ext4'] as const

/** Some kernels have no such module: they need none. */
const dispensable: ReadonlySet<string> = new Set(['crc32c_generic'])

/** Modules `guestModules` need in the kernels known so far: read in the same pass over the package. */
const expectedDependencies = [
  'virtio',
  'virtio_ring',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'pvpanic',
  'vsock',
  'vmw_vsock_virtio_transport_common',
  'jbd2',
  'mbcache',
  'crc16',
]

export interface KernelModule {
  readonly name: string
  readonly data: Buffer
  /** All it needs, the first to be loaded last: as modules.dep has them */
  readonly needs: readonly string[]
}

const modulePath = /(?:^|\/)lib\/modules\/[^/]+\/kernel\/.*?([^/]+)\.ko(?:\.(?:xz|zst|gz))?$/

/** The module's name if the path is one of a kernel package's modules; `-` and `_` are the same to the kernel. */
export function moduleName(path: string): string | undefined {
  return modulePath.exec(path)?.[1]?.replaceAll('-', '_')
}

/** Whether a file of the kernel package is needed to choose and load modules. */
export function isWantedForModules(path: string, more: readonly string[] = []): boolean {
  if (/(?:^|\/)lib\/modules\/[^/]+\/modules\.builtin$/.test(path)) return true
  const name = moduleName(path)
  return (
    name !== undefined && [...guestModules, ...rootModules, ...expectedDependencies, ...more].includes(name)
  )
}

/**
 * Unpacks the wanted modules and orders them so that each comes after its dependencies, as read from the modules
 * themselves. `missing` names dependencies that `files` lacks: read them too and ask again.
 */
export async function orderModules(
  files: readonly TarFile[],
  unpackers: Unpackers,
): Promise<{ order: KernelModule[]; missing: string[] }> {
  const builtin = builtinModules(files)
  const found = new Map(files.map(file => [moduleName(file.path) ?? '', file]))
  const order: KernelModule[] = []
  const missing: string[] = []
  const visited = new Set<string>()
  const visit = async (name: string): Promise<void> => {
    if (visited.has(name) || builtin.has(name)) return
    visited.add(name)
    const file = found.get(name)
    if (file === undefined) {
      if (!dispensable.has(name)) missing.push(name)
      return
    }
    const data = await unpack(file.data, unpackers)
    const direct = moduleDependencies(data)
    for (const dependency of direct) await visit(dependency)
    const closure = new Set(direct)
    for (const known of order)
      if (direct.includes(known.name)) for (const need of known.needs) closure.add(need)
    // Whatever was put into the order later may need what came earlier, so it has to be loaded later, too.
    const needs = order
      .map(known => known.name)
      .filter(known => closure.has(known))
      .reverse()
    order.push({ name, data, needs })
  }
  for (const name of [...guestModules, ...rootModules]) await visit(name)
  return { order, missing }
}

/** The text of modules.dep, for modules that lie side by side. */
export function dependencyList(modules: readonly KernelModule[]): string {
  return modules
    .map(({ name, needs }) => `${[`${name}.ko:`, ...needs.map(need => `${need}.ko`)].join(' ')}\n`)
    .join('')
}

/** The names in a module's `depends=` string of its `.modinfo` section. */
export function moduleDependencies(module: Buffer): string[] {
  const key = Buffer.from('\0depends=')
  const at = module.indexOf(key)
  if (at < 0) throw new ImageError('BOOT_FAILED', 'A kernel module has no list of dependencies.')
  const start = at + key.length
  const end = module.indexOf(0, start)
  const names = module.toString('latin1', start, end < 0 ? module.length : end)
  return names.split(',').flatMap(name => (name === '' ? [] : [name.replaceAll('-', '_')]))
}

function builtinModules(files: readonly TarFile[]): Set<string> {
  const list = files.find(file => file.path.endsWith('/modules.builtin'))
  const names = list?.data.toString('utf8').split('\n') ?? []
  return new Set(names.map(line => line.replace(/^.*\//, '').replace(/\.ko$/, '').replaceAll('-', '_')))
}
