import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool, streamTool } from './host-tool.ts'
import { ImageError } from './image-error.ts'
import { readTar, type TarFile } from './tar.ts'

/** A package as the package lists know it. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
  /** The `Depends:` field as it stands there */
  readonly depends: string
}

export type PackageVersion = Pick<DebianPackage, 'name' | 'version'>

export interface PackageSource {
  /** Looks packages up, the newest candidate of each; UNSUPPORTED if one is nowhere in the lists. */
  find(names: readonly string[]): Promise<DebianPackage[]>
  /** Downloads one package, checked by apt against the signed lists; gives the path of the `.deb`. */
  download(wanted: PackageVersion): Promise<string>
  /** Downloads several at once, which is faster than one after the other; gives the paths in no order. */
  downloadAll(wanted: readonly PackageVersion[]): Promise<string[]>
}

export interface PackageSourceOptions {
  /** A directory for downloads and, if needed, package lists */
  readonly dir: string
  readonly signal?: AbortSignal | undefined
  /** Told before the package lists are fetched, which takes some seconds */
  readonly onRefresh?: () => void
}

/**
 * The Debian packages this machine's apt is set up for. Works without root and changes nothing of the system: if the
 * system's package lists are missing or name files that are gone from the mirror, a private copy of the lists is
 * fetched into `dir` once and used from then on.
 */
export function openPackageSource({ dir, signal, onRefresh }: PackageSourceOptions): PackageSource {
  const apt = { package: 'apt', signal }
  // As root apt would switch to a user who may not enter a private directory.
  let options = ['-o', 'APT::Sandbox::User=root']
  let refreshed = false

  const refresh = async (): Promise<void> => {
    onRefresh?.()
    refreshed = true
    const lists = join(dir, 'lists')
    await mkdir(join(lists, 'partial'), { recursive: true })
    const state = ['-o', `Dir::State::Lists=${lists}`]
    const cache = ['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache=']
    options = [...options, ...state, ...cache, '-o', 'Acquire::Languages=none']
    await runTool({ ...apt, command: 'apt-get', args: [...options, '--quiet', 'update'] })
  }

  /** One failing repository of many must not matter: what counts is whether the package can be had afterwards. */
  const orRefresh = async <T>(attempt: () => Promise<T>): Promise<T> => {
    try {
      return await attempt()
    } catch (error) {
      if (refreshed || !(error instanceof ImageError) || error.code === 'ABORTED') throw error
      const problem = await refresh().then(
        () => undefined,
        (failure: unknown) => failure,
      )
      if (problem instanceof ImageError && problem.code !== 'BOOT_FAILED') throw problem
      return await attempt().catch((again: unknown) => {
        throw problem instanceof ImageError && again instanceof ImageError
          ? new ImageError(problem.code, `${again.message}\n${problem.message}`, again.details, again)
          : again
      })
    }
  }

  const lookUp = async (names: readonly string[]): Promise<DebianPackage[]> => {
    const args = [...options, 'show', '--no-all-versions', ...names]
    // apt-cache fails if any name is unknown, which the caller is told in better words.
    const text = await runTool({ ...apt, command: 'apt-cache', args }).catch((error: unknown) => {
      if (error instanceof ImageError && error.code === 'BOOT_FAILED') return Buffer.alloc(0)
      throw error
    })
    const known = parsePackages(text.toString('utf8'))
    return names.map(name => {
      const found = known.find(entry => entry.name === name)
      if (found !== undefined) return found
      throw new ImageError(
        'UNSUPPORTED',
        `The package ${name} is not in this machine's package lists. The built-in guest is made from Debian's packages ` +
          '(amd64, Debian 12 or newer): check /etc/apt/sources.list and the network, or give the box an image of your own.',
        { package: name },
      )
    })
  }

  const downloadAll = (wanted: readonly PackageVersion[]): Promise<string[]> =>
    orRefresh(async () => {
      // After a refresh the version that was asked for may be gone; the newest one serves as well.
      const versions = refreshed ? await lookUp(wanted.map(({ name }) => name)) : wanted
      const into = join(dir, `${wanted[0]?.name}-${refreshed ? 'fresh' : 'listed'}`)
      await mkdir(into, { recursive: true })
      const words = versions.map(({ name, version }) => `${name}=${version}`)
      await runTool({
        ...apt,
        command: 'apt-get',
        args: [...options, '--quiet', 'download', ...words],
        cwd: into,
      })
      const files = (await readdir(into)).filter(name => name.endsWith('.deb'))
      if (files.length === wanted.length) return files.map(file => join(into, file))
      throw new ImageError(
        'BOOT_FAILED',
        `apt-get download ${words.join(' ')} left ${files.length} .deb in ${into}.`,
      )
    })

  return {
    find: names => orRefresh(() => lookUp(names)),
    downloadAll,
    download: async wanted => {
      const [file] = await downloadAll([wanted])
      if (file === undefined) throw new Error('One package has one file')
      return file
    },
  }
}

/** Reads the stanzas `apt-cache show` prints. */
export function parsePackages(text: string): DebianPackage[] {
  return text.split(/\n\n+/).flatMap(stanza => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]
    const name = field('Package')
    const version = field('Version')
    return name === undefined || version === undefined
      ? []
      : [{ name, version, depends: field('Depends') ?? '' }]
  })
}

/** Reads chosen regular files out of a `.deb`, without writing anything. */
export async function readPackageFiles(
  deb: string,
  wanted: (path: string) => boolean,
  signal?: AbortSignal,
): Promise<TarFile[]> {
  const files: TarFile[] = []
  const run = { command: 'dpkg-deb', args: ['--fsys-tarfile', deb], package: 'dpkg', signal }
  await streamTool(run, async stdout => {
    files.push(...(await readTar(stdout, wanted)))
    // The padding behind the archive's end: dpkg-deb would fail if nobody took it.
    stdout.resume()
  })
  return files
}
