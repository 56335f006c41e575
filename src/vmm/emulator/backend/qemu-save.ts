import { createWriteStream, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describeSystemError, failed } from '../api-error.ts'
import { copyOwnMemory, type GuestMemory } from './qemu-memory.ts'
import type { Qmp } from './qmp.ts'
import { listen } from './serial-port.ts'

export interface SaveOptions {
  readonly pid: number
  readonly memory: GuestMemory
  readonly socketDirectory: string
  /** ports over which somebody talks with the guest */
  readonly takenPorts: readonly number[]
}

/** A guest as it lies in a snapshot's directory. */
export interface SavedGuest {
  /** where its memory is; with it, if `devices` is missing, everything else */
  readonly memoryFile: string
  /** what QEMU tells of its devices */
  readonly devices: Buffer | undefined
  readonly takenPorts: readonly number[]
}

export function readSavedGuest(directory: string): SavedGuest {
  const state: unknown = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'))
  const { takenPorts, devices } = (state as { emulator?: Record<string, unknown> }).emulator ?? {}
  return {
    memoryFile: join(directory, 'memory-ranges'),
    devices: typeof devices === 'string' ? gunzipSync(Buffer.from(devices, 'base64')) : undefined,
    takenPorts: Array.isArray(takenPorts) ? takenPorts.filter(port => typeof port === 'number') : [],
  }
}

/** Whether QEMU is to leave out the memory of what goes out, and to miss none in what comes in. */
export async function leaveMemoryOut(qmp: Qmp, state: boolean): Promise<void> {
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state }] })
}

/**
 * Saves the paused guest. A memory of QEMU's own is copied, as the image of it that can be mapped again, and the devices go
 * into `state.json`; the memory of a guest that came from such an image is sent by QEMU, in a form of its own, with them.
 */
export async function saveQemu(qmp: Qmp, directory: string, options: SaveOptions): Promise<void> {
  const { memory, pid, takenPorts } = options
  const memoryFile = join(directory, 'memory-ranges')
  try {
    let devices: Buffer | undefined
    await leaveMemoryOut(qmp, memory === 'own')
    if (memory === 'own') {
      devices = await receive(qmp, options, buffer)
      await copyOwnMemory(pid, memoryFile)
    } else {
      const file = createWriteStream(memoryFile, { flags: 'wx', mode: 0o600 })
      await receive(qmp, options, stream => pipeline(stream, file))
    }
    const emulator = {
      backend: 'qemu',
      takenPorts,
      ...(devices && { devices: gzipSync(devices).toString('base64') }),
    }
    writeFileSync(join(directory, 'state.json'), JSON.stringify({ emulator }))
  } catch (error) {
    const outer = ['Cannot send VM snapshot', 'Failed to send migratable component snapshot']
    throw failed(...outer, describeSystemError(error))
  }
}

/**
 * Has QEMU send its migration stream to a socket of ours. Its sandbox allows no helper processes, and this version cannot
 * write to a file by itself.
 */
async function receive<T>(
  qmp: Qmp,
  { socketDirectory }: SaveOptions,
  consume: (stream: Socket) => Promise<T>,
): Promise<T> {
  const path = join(socketDirectory, `migrate-${process.pid}.sock`)
  const server = createServer()
  try {
    await listen(server, path)
    const received = new Promise<T>((resolve, reject) => {
      server.once('connection', stream => consume(stream).then(resolve, reject))
    })
    // Told below; it may come before that is waited for.
    received.catch(() => undefined)
    // Without a limit, since the guest stands still meanwhile.
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
    await qmp.execute('migrate', { uri: `unix:${path}` })
    await waitForMigration(qmp)
    return await received
  } finally {
    server.close()
    rmSync(path, { force: true })
  }
}

async function waitForMigration(qmp: Qmp): Promise<void> {
  for (;;) {
    const { status, ...rest } = (await qmp.execute('query-migrate')) as {
      status?: string
      'error-desc'?: string
    }
    if (status === 'completed') return
    if (status === 'failed' || status === 'cancelled')
      throw new Error(rest['error-desc'] ?? `migration ${status}`)
    await delay(5)
  }
}
