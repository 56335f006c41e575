import { isAbsolute, resolve } from 'node:path'
import {
  BoxError,
  type BoxSpec,
  type DiskSpec,
  defaultBackoff,
  defaultHealth,
  quoted,
} from '../machines/index.ts'
import { hasAgent } from '../vmm/index.ts'
import { type BoxOptions, bytesOf, check, shapes } from './options.ts'

/** Largest spec as JSON, in `bytes`. */
const maxSpecBytes = 32 * 1024

/** A box that is to be, checked. */
export interface NewBox {
  /** what was asked for; its paths mean the same in any process */
  readonly given: BoxOptions
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: BoxSpec
  readonly secrets?: Readonly<Record<string, string>>
}

/** Checks what a caller asks for, and fills in what was left out. Relative paths are the caller's own. */
export function newBox(options: unknown): NewBox {
  const given = absolute(check(shapes.box, options, 'options'))
  if (given.autoRemove && given.restart?.policy === 'always')
    throw invalid('autoRemove', 'autoRemove never applies to a box that is always restarted')
  for (const [key, value] of Object.entries(given.env ?? {}))
    if (typeof value === 'object' && !Object.hasOwn(given.secrets ?? {}, value.secret))
      throw invalid(`env.${key}`, `env.${key} names a secret that secrets does not have`)
  const spec = specOf(given)
  assertHealthFits(spec)
  if (bytesOf({ ...spec, env: undefined }) > maxSpecBytes)
    throw invalid('options', 'The spec is larger than 32 KiB')
  return {
    given,
    ...(given.name === undefined ? {} : { name: given.name }),
    labels: { ...given.labels },
    spec,
    ...(given.secrets === undefined ? {} : { secrets: { ...given.secrets } }),
  }
}

/** Refuses questions to an agent that the guest is not said to have. */
export function assertHealthFits(spec: BoxSpec): void {
  if (spec.health === undefined || spec.health.command === 'ping' || hasAgent(spec)) return
  throw invalid(
    'health.command',
    'health.command needs an agent in the guest: its image is not said to have one',
  )
}

function specOf(given: BoxOptions): BoxSpec {
  return JSON.parse(
    JSON.stringify({
      image: given.image === 'builtin' ? undefined : given.image,
      command: given.command,
      env: given.env,
      workdir: given.workdir,
      user: given.user,
      cpus: given.cpus ?? 1,
      memoryMib: given.memoryMib ?? 256,
      disks: given.disks,
      autoRemove: given.autoRemove ?? false,
      detach: given.detach ?? true,
      restart: {
        policy: given.restart?.policy ?? 'no',
        maxRetries: given.restart?.maxRetries,
        backoff: { ...defaultBackoff, ...given.restart?.backoff },
      },
      ready: given.ready,
      stopTimeoutMs: given.stopTimeoutMs ?? 10_000,
      health: given.health && { ...defaultHealth, ...given.health },
    }),
  )
}

/** Refuses paths that are relative to the directory of another process than this. */
export function assertAbsolute(options: unknown): void {
  const { image, disks = [] } = check(shapes.box, options, 'options')
  const files = typeof image === 'object' ? image : undefined
  const paths = [
    files?.kernel,
    files?.initramfs,
    ...[...(files?.disks ?? []), ...disks].map(({ path }) => path),
  ]
  const relative = paths.find(path => path !== undefined && !isAbsolute(path))
  if (relative !== undefined) throw invalid('options', `The path ${quoted(relative)} must be absolute`)
}

/** A box is started by whoever owns its home, wherever that process is. */
function absolute(options: BoxOptions): BoxOptions {
  const { image, disks } = options
  return {
    ...options,
    ...(typeof image === 'object' ? { image: absoluteImage(image) } : {}),
    ...(disks === undefined ? {} : { disks: disks.map(absoluteDisk) }),
  }
}

function absoluteImage(image: Exclude<BoxOptions['image'], string | undefined>) {
  const { kernel, initramfs, disks } = image
  return {
    ...image,
    kernel: resolve(kernel),
    ...(initramfs === undefined ? {} : { initramfs: resolve(initramfs) }),
    ...(disks === undefined ? {} : { disks: disks.map(absoluteDisk) }),
  }
}

function absoluteDisk<Disk extends Pick<DiskSpec, 'path'>>(disk: Disk): Disk {
  return { ...disk, path: resolve(disk.path) }
}

function invalid(field: string, message: string): BoxError {
  return new BoxError('INVALID_ARGUMENT', message, { details: { field } })
}
