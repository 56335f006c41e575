import { join } from 'node:path'
import { BoxError, quoted, safeIdPattern } from '../../machines/index.ts'

/** The files of one incarnation; no other incarnation ever uses the same directory. */
export interface RunFiles {
  /** run directory, absolute */
  readonly dir: string
  readonly socket: string
  /** host's end of the vsock device */
  readonly vsock: string
  /** event monitor's file */
  readonly events: string
  /** the VMM's own log */
  readonly log: string
  readonly stdout: string
  readonly stderr: string
  /** what the guest prints on its serial port */
  readonly serial: string
  /** what the main command prints */
  readonly command: string
  /** initramfs with the box's main command in it */
  readonly initramfs: string
  /** snapshot that the VMM begins with, as files of its own */
  readonly restored: string
  /** snapshot that the VMM writes, until it has a name */
  readonly saving: string
  /** locked by the VMM process for as long as it lives */
  readonly alive: string
}

/** Throws `INVALID_ARGUMENT` for what is no ID of a box: it becomes a part of paths, also of those that are deleted. */
export function boxDir(home: string, box: string): string {
  if (!safeIdPattern.test(box))
    throw new BoxError('INVALID_ARGUMENT', `${quoted(box)} is no ID of a box`, { details: { field: 'id' } })
  return join(home, 'boxes', box)
}

/** Of a run directory: where its VMM writes a snapshot. */
export function savingIn(runDir: string): string {
  return join(runDir, 'saving')
}

export function snapshotsDir(home: string, box: string): string {
  return join(boxDir(home, box), 'snapshots')
}

/** Where the disks are that a box has for itself. */
export function disksDir(home: string, box: string): string {
  return join(boxDir(home, box), 'disks')
}

/** Number of the incarnation whose run directory has this name; undefined if it is none. */
export function runNumber(name: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(name) ? Number(name) : undefined
}

export function runFiles(home: string, box: string, incarnation: number): RunFiles {
  const dir = join(boxDir(home, box), String(incarnation))
  return {
    dir,
    socket: join(dir, 'api.sock'),
    vsock: join(dir, 'v.sock'),
    events: join(dir, 'events'),
    log: join(dir, 'vmm.log'),
    stdout: join(dir, 'out'),
    stderr: join(dir, 'err'),
    serial: join(dir, 'serial.log'),
    command: join(dir, 'command.log'),
    initramfs: join(dir, 'initramfs'),
    restored: join(dir, 'restored'),
    saving: savingIn(dir),
    alive: join(dir, 'alive'),
  }
}

/** Longest path of a Unix socket, in `bytes`. */
const longestSocket = 107

/** Longest name that a socket of a box may get: 12 characters of ID, six digits of incarnation, a guest port. */
const longestName = '/boxes/abcdefghijkl/999999/v.sock_1024'

/**
 * Says what is wrong with a home, or undefined: sockets in it would get a path that the kernel refuses, or paths in it
 * would not come through the VMM's command line, where these characters part options.
 */
export function checkHome(home: string): string | undefined {
  const special = [...home].find(char => ',"[]'.includes(char) || char < ' ')
  if (special !== undefined)
    return `The home's path holds ${JSON.stringify(special)}, which a VMM cannot be given. Choose another one.`
  const longest = longestSocket - Buffer.byteLength(longestName)
  const length = Buffer.byteLength(home)
  if (length <= longest) return undefined
  return `The home's path is too long for sockets in it: ${length} bytes, at most ${longest}. Choose a shorter one.`
}
