import { createHash } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withBuildLock } from './build-lock.ts'
import { writeCpio } from './cpio.ts'
import { openPackageSource, type PackageSource, readPackageFiles } from './debian-packages.ts'
import { guestEntries } from './guest-files.ts'
import { runTool } from './host-tool.ts'
import { findImage, type Image, openWorkplace, storeImage } from './image-cache.ts'
import { asImageError, ImageError } from './image-error.ts'
import { initScript } from './init.ts'
import { guestModules, isWantedForModules, orderModules } from './modules.ts'
import { isWantedForPerl, perlEntries, perlPackages } from './perl.ts'
import type { TarFile } from './tar.ts'
import { canRun, type Unpackers } from './unpack.ts'
import { extractVmlinux } from './vmlinux.ts'

/** Raise it when the image comes out differently for a reason that `recipeName` cannot see. */
const recipeVersion = 2

export interface ImageProgress {
  readonly step: 'wait' | 'lists' | 'download' | 'unpack' | 'write' | 'done'
  readonly message: string
  /** How much is done, from 0 to 1 */
  readonly fraction?: number
}

export interface EnsureImageOptions {
  /** Where images are kept: `<home>/images`; made if it is missing */
  readonly dir: string
  readonly onProgress?: ((progress: ImageProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The built-in Linux guest: Debian's cloud kernel, busybox and boxledger's own init. Made on first use (some seconds
 * and 35 MB of download), found in `dir` afterwards, without any network. Any number of processes may call it at once.
 *
 * @throws ImageError UNSUPPORTED (not Linux on x64, no apt, packages unknown), NO_SPACE, ABORTED; BOOT_FAILED for
 * anything else, with what the failing program said
 */
export async function ensureBuiltinImage(options: EnsureImageOptions): Promise<Image> {
  const { dir, signal } = options
  const recipe = recipeName()
  try {
    const found = await findImage(dir, recipe)
    if (found !== undefined) return found
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new ImageError(
        'UNSUPPORTED',
        `The built-in guest is made on Linux on x64 only, not on ${process.platform} on ${process.arch}. Give the box an image of your own.`,
        { platform: process.platform, arch: process.arch },
      )
    }
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const onWait = () =>
      options.onProgress?.({ step: 'wait', message: 'Another process is making the built-in guest' })
    const build = async () => (await findImage(dir, recipe)) ?? (await makeImage(options, recipe))
    return await withBuildLock(join(dir, '.lock'), build, { signal, onWait })
  } catch (error) {
    throw asImageError(error, 'making the built-in guest')
  }
}

/** Changes with everything of ours that goes into the image, so that a new version of boxledger makes a new one. */
export function recipeName(): string {
  const parts = JSON.stringify([
    recipeVersion,
    guestModules,
    guestEntries({ busybox: none, applets: [], release: '', modules: [], perl: [] }),
  ])
  return `builtin-${createHash('sha256').update(parts).update(initScript).digest('hex').slice(0, 12)}`
}

const none = Buffer.alloc(0)

async function makeImage({ dir, onProgress, signal }: EnsureImageOptions, recipe: string): Promise<Image> {
  const report = (step: ImageProgress['step'], message: string, fraction: number) =>
    onProgress?.({ step, message, fraction })
  const workplace = await openWorkplace(dir)
  try {
    // 1. Which packages. The kernel's own name has its version in it; the meta package leads there.
    report('lists', "Looking up Debian's packages", 0)
    const onRefresh = () => report('lists', "Fetching Debian's package lists", 0.05)
    const source = openPackageSource({ dir: workplace, signal, onRefresh })
    const names = ['linux-image-cloud-amd64', 'busybox-static', ...perlPackages]
    const [meta, busyboxPackage, ...perlFrom] = await source.find(names)
    const kernelPackage = kernelOf(meta?.depends ?? '', meta?.version ?? '')
    if (kernelPackage === undefined || busyboxPackage === undefined) {
      throw new ImageError(
        'UNSUPPORTED',
        `linux-image-cloud-amd64 names no kernel package: ${meta?.depends ?? ''}`,
      )
    }

    // 2. Fetch them.
    report('download', `Downloading ${kernelPackage.name}`, 0.2)
    const kernelDeb = await source.download(kernelPackage)
    report('download', `Downloading ${busyboxPackage.name}`, 0.4)
    const busyboxDeb = await source.download(busyboxPackage)

    const perlDebs: string[] = []
    for (const wanted of perlFrom) {
      report('download', `Downloading ${wanted.name}`, 0.42)
      perlDebs.push(await source.download(wanted))
    }

    // 3. Take out what is needed. The downloaded busybox also serves as a program here.
    report('unpack', 'Unpacking busybox', 0.45)
    const busybox = await onlyFile(busyboxDeb, /^(?:usr\/)?bin\/busybox$/, signal)
    const program = join(workplace, 'busybox')
    await writeFile(program, busybox, { mode: 0o700 })
    const list = await runTool({ command: program, args: ['--list'], package: 'busybox-static', signal })
    const applets = list.toString('utf8').split('\n').filter(Boolean)
    const zstd = () => zstdProgram(source, workplace, signal)
    const unpackers: Unpackers = { xz: [program, 'xz'], zstd, signal }

    const perlFiles: TarFile[] = []
    for (const deb of perlDebs) perlFiles.push(...(await readPackageFiles(deb, isWantedForPerl, signal)))
    const perl = perlEntries(perlFiles)

    report('unpack', 'Unpacking the kernel and its modules', 0.5)
    const { vmlinuz, release, modules } = await readKernel(kernelDeb, unpackers)
    report('unpack', 'Unpacking the kernel itself', 0.75)
    const kernel = await extractVmlinux(vmlinuz, unpackers)

    // 4. Put it together.
    report('write', 'Writing the image', 0.9)
    const initramfs = writeCpio(guestEntries({ busybox, applets, release, modules, perl }))
    const made = { kernel, initramfs, kernelVersion: kernelPackage.version }
    const image = await storeImage(dir, recipe, workplace, made)
    report('done', `Built-in guest with Linux ${kernelPackage.version}`, 1)
    return image
  } finally {
    await rm(workplace, { recursive: true, force: true })
  }
}

/** The package a `Depends:` field like "linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)" leads to. */
export function kernelOf(depends: string, ownVersion: string): { name: string; version: string } | undefined {
  const [, name, version] = /(?:^|, )(linux-image-[0-9]\S*)(?: \(= ([^)]+)\))?/.exec(depends) ?? []
  return name === undefined ? undefined : { name, version: version ?? ownVersion }
}

const kernelPrefix = 'boot/vmlinuz-'

/** One pass over the package as a rule; another if the kernel's modules need some that nobody expected. */
async function readKernel(deb: string, unpackers: Unpackers) {
  const isKernel = (path: string) => path.startsWith(kernelPrefix)
  const unexpected: string[] = []
  for (let passes = 0; passes < 4; passes++) {
    const wanted = (path: string) => isKernel(path) || isWantedForModules(path, unexpected)
    const files: TarFile[] = await readPackageFiles(deb, wanted, unpackers.signal)
    const kernel = files.find(file => isKernel(file.path))
    if (kernel === undefined) throw new ImageError('BOOT_FAILED', `No boot/vmlinuz in ${deb}.`)
    const { order, missing } = await orderModules(files, unpackers)
    if (missing.length === 0)
      return { vmlinuz: kernel.data, release: kernel.path.slice(kernelPrefix.length), modules: order }
    if (missing.every(name => unexpected.includes(name))) break
    unexpected.push(...missing)
  }
  throw new ImageError('UNSUPPORTED', `The kernel package lacks these modules: ${unexpected.join(', ')}.`)
}

async function onlyFile(deb: string, path: RegExp, signal: AbortSignal | undefined): Promise<Buffer> {
  const [file] = await readPackageFiles(deb, name => path.test(name), signal)
  if (file === undefined) throw new ImageError('BOOT_FAILED', `${deb} has no file like ${path.source}.`)
  return file.data
}

/** The host's zstd, else a copy from Debian's package: its libraries are there wherever apt is. */
async function zstdProgram(
  source: PackageSource,
  workplace: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (await canRun('zstd', signal)) return ['zstd']
  const [found] = await source.find(['zstd'])
  if (found === undefined)
    throw new ImageError('UNSUPPORTED', 'zstd is needed: apt-get install zstd', { package: 'zstd' })
  const program = join(workplace, 'zstd')
  await writeFile(program, await onlyFile(await source.download(found), /^(?:usr\/)?bin\/zstd$/, signal), {
    mode: 0o700,
  })
  return [program]
}
