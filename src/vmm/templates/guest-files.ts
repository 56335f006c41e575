import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Guest } from '../image.ts'
import { hostNameWord } from '../images/cmdline.ts'
import type { GuestFile, TemplateGuest } from './manifest.ts'

/** What an image is now, to be compared with what it will be. */
export async function guestNow(guest: Guest, signal: AbortSignal): Promise<TemplateGuest> {
  const files: GuestFile[] = []
  for (const [role, path] of pathsOf(guest)) {
    const { size, mtimeMs } = await stat(path)
    files.push({ role, bytes: size, modifiedMs: mtimeMs, sha256: await hashOf(path, signal) })
  }
  return { cmdline: sharedCmdline(guest.cmdline), files }
}

/** In what an image differs from what it was; undefined if in nothing. Files that look untouched are not read. */
export async function changeOf(
  guest: Guest,
  before: TemplateGuest,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (sharedCmdline(guest.cmdline) !== before.cmdline) return 'the command line of its kernel'
  const paths = pathsOf(guest)
  if (paths.length !== before.files.length) return 'its files'
  for (const [n, [role, path]] of paths.entries()) {
    const was = before.files[n]
    const { size, mtimeMs } = await stat(path)
    if (was?.role !== role || was.bytes !== size) return `its ${role}`
    if (was.modifiedMs !== mtimeMs && (await hashOf(path, signal)) !== was.sha256) return `its ${role}`
  }
  return undefined
}

function pathsOf({ kernel, initramfs, disks }: Guest): [role: string, path: string][] {
  return [
    ['kernel', kernel],
    ...(initramfs === undefined ? [] : [['initramfs', initramfs] as [string, string]]),
    ...disks.map(({ path = '' }, n): [string, string] => [`disk-${n}`, path]),
  ]
}

/** A box's name is its own. */
function sharedCmdline(cmdline: string): string {
  return cmdline
    .split(' ')
    .filter(word => !word.startsWith(hostNameWord))
    .join(' ')
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(piece)
  return hash.digest('hex')
}
