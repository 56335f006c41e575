import { join } from 'node:path'
import type { Boundary, BoxSpec } from '../machines/index.ts'
import type { Payload } from './cloud-hypervisor/vm-config.ts'
import { disksDir } from './files/paths.ts'
import { hasAgent } from './guest/reach.ts'
import { ImageError } from './images/image-error.ts'
import { readManifest } from './images/named/manifest.ts'
import { boxInitramfs } from './images/overlay.ts'
import type { OwnDisk } from './images/own-disk.ts'
import { resolveImage } from './images/resolve.ts'
import { readSecrets, revealed } from './secrets.ts'

/** What a box boots, as files on this machine. */
export interface Guest extends Payload {
  /** those among `disks` that have to be made before the first start */
  readonly ownDisks?: readonly OwnDisk[]
  /** for a trial of the VMM, which has no disks; absent: `cmdline` */
  readonly probeCmdline?: string
}

export interface ResolveOptions {
  readonly home: string
  readonly box: string
  /** host name for a guest that takes one */
  readonly name: string
  readonly spec: BoxSpec
  readonly onProgress?: ((message: string) => void) | undefined
  readonly signal: AbortSignal
}

/** Finds a spec's image, making the built-in one if it has to be. Throws ImageError. */
export async function resolveGuest({
  home,
  box,
  name,
  spec,
  onProgress,
  signal,
}: ResolveOptions): Promise<Guest> {
  const { image, command } = spec
  try {
    const found = await resolveImage(image, {
      dir: join(home, 'images'),
      disksDir: disksDir(home, box),
      name,
      onProgress: progress => onProgress?.(progress.message),
      signal,
    })
    if (command && !found.supportsCommand)
      throw new ImageError(
        'UNSUPPORTED',
        'This image has no init that runs a command. Leave the command out, or use the built-in guest.',
      )
    if (typeof image === 'string' && found.hasAgent !== hasAgent(spec)) throw otherImage(image)
    return found
  } catch (error) {
    // Files that cannot be used are the VMM's to complain of: its own words are what a failed boot is told by.
    if (!(error instanceof ImageError) || error.code !== 'BOOT_FAILED' || typeof image !== 'object')
      throw error
    return {
      ...image,
      hasAgent: image.agent ?? false,
      cmdline: image.cmdline ?? '',
      disks: image.disks ?? [],
    }
  }
}

/** Whether what boots is somebody else's kernel; the built-in one otherwise. Throws ImageError. */
export async function hasOwnKernel(home: string, { image }: BoxSpec): Promise<boolean> {
  if (typeof image !== 'string') return image !== undefined
  return (await readManifest(join(home, 'images'), image))?.kind === 'files'
}

export interface OwnInitramfs {
  readonly home: string
  readonly box: string
  /** where it goes */
  readonly target: string
  readonly boundary: Boundary
}

/** Makes the initramfs of this very box, with its main command and its secrets in it. Throws ImageError. */
export async function writeOwnInitramfs(
  guest: Guest,
  { command, env = {}, workdir, user }: BoxSpec,
  { home, box, target, boundary }: OwnInitramfs,
): Promise<void> {
  const revealedEnv = revealed(env, await readSecrets(home, box), secretMissing)
  const base = guest.initramfs ?? ''
  await boxInitramfs({ base, target, command, env: revealedEnv, workdir, user, boundary })
}

/** When a box is ready was settled when it was made, by whether its image has an agent. */
function otherImage(image: string): ImageError {
  const message = `The image ${image} is not the one that the box was made for: one of them has an agent in its guest, and one has not. Make the box again.`
  return new ImageError('BOOT_FAILED', message, { image })
}

function secretMissing(secret: string): ImageError {
  const message = `The secret ${secret} is not in the home. Remove the box, and create it again with its secrets.`
  return new ImageError('BOOT_FAILED', message, { secret })
}
