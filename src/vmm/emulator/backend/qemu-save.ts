import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describeSystemError, failed } from '../api-error.ts'
import { StreamSplitter } from './qemu-stream.ts'
import type { Qmp } from './qmp.ts'
import { listen } from './serial-port.ts'

export interface SaveOptions {
  readonly socketDirectory: string
  /** ports over which somebody talks with the guest */
  readonly takenPorts: readonly number[]
}

/** A guest as it lies in a snapshot's directory. */
export interface SavedGuest {
  /** its memory, which can be mapped; if `devices` is missing, all that QEMU told of it */
  readonly memoryFile: string
  /** what QEMU told of all but its memory */
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

/**
 * Has QEMU not miss a memory in what comes in. What goes out is of that form too, though with the memory, which is no shared
 * one: the splitter takes it out.
 */
export async function leaveMemoryOut(qmp: Qmp): Promise<void> {
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [{ capability: 'x-ignore-shared', state: true }],
  })
}

/** Saves the paused guest: its memory into `memory-ranges`, so that it can be mapped, all else into `state.json`. */
export async function saveQemu(qmp: Qmp, directory: string, options: SaveOptions): Promise<void> {
  const { takenPorts } = options
  try {
    await leaveMemoryOut(qmp)
    const file = await open(join(directory, 'memory-ranges'), 'wx', 0o600)
    const rest = await receive(qmp, options, file).finally(() => file.close())
    const emulator = { backend: 'qemu', takenPorts, devices: gzipSync(rest).toString('base64') }
    writeFileSync(join(directory, 'state.json'), JSON.stringify({ emulator }))
  } catch (error) {
    const outer = ['Cannot send VM snapshot', 'Failed to send migratable component snapshot']
    throw failed(...outer, describeSystemError(error))
  }
}

/** Writes the memory that is in a stream, holes where there is nothing, and gives the rest. */
async function writeMemory(stream: Socket, file: FileHandle): Promise<Buffer> {
  const splitter = new StreamSplitter()
  for await (const piece of stream) {
    for (const { at, pages } of splitter.push(piece)) await writeAll(file, Buffer.concat(pages), at)
  }
  const rest = splitter.end()
  await file.truncate(splitter.size)
  return rest
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten
}

/**
 * Has QEMU send its migration stream to a socket of ours, and gives what of it is no memory. QEMU's sandbox allows no helper processes, and this version cannot
 * write to a file by itself.
 */
async function receive(qmp: Qmp, { socketDirectory }: SaveOptions, file: FileHandle): Promise<Buffer> {
  const path = join(socketDirectory, `migrate-${process.pid}.sock`)
  const server = createServer()
  try {
    await listen(server, path)
    const received = new Promise<Buffer>((resolve, reject) => {
      server.once('connection', stream => writeMemory(stream, file).then(resolve, reject))
    })
    let broken: NodeJS.ErrnoException | undefined
    received.catch(error => {
      broken = error
    })
    // Without a limit, since the guest stands still meanwhile.
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
    await qmp.execute('migrate', { uri: `unix:${path}` })
    await waitForMigration(qmp).catch(error => {
      // QEMU knows only that nobody took what it sent, and not of a full disk.
      throw broken?.code === undefined ? error : broken
    })
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
