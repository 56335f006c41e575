import { createWriteStream, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describeSystemError, failed } from '../api-error.ts'
import type { Qmp } from './qmp.ts'
import { listen } from './serial-port.ts'

export interface SaveOptions {
  readonly socketDirectory: string
  /** ports over which somebody talks with the guest */
  readonly takenPorts: readonly number[]
}

/** The ports that were taken when a guest was saved. */
export function takenPortsIn(directory: string): number[] {
  const state: unknown = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'))
  const ports = (state as { emulator?: { takenPorts?: unknown } }).emulator?.takenPorts
  return Array.isArray(ports) ? ports.filter(port => typeof port === 'number') : []
}

/**
 * Saves the paused guest: QEMU sends its migration stream to a socket of ours, which goes into `memory-ranges`. Its
 * sandbox allows no helper processes, and this version cannot write to a file by itself.
 */
export async function saveQemu(
  qmp: Qmp,
  directory: string,
  { socketDirectory, takenPorts }: SaveOptions,
): Promise<void> {
  const socket = join(socketDirectory, `migrate-${process.pid}.sock`)
  const outer = ['Cannot send VM snapshot', 'Failed to send migratable component snapshot']
  const server = createServer()
  try {
    const file = createWriteStream(join(directory, 'memory-ranges'), { flags: 'wx', mode: 0o600 })
    await listen(server, socket)
    const received = new Promise<void>((resolve, reject) => {
      server.once('connection', stream => pipeline(stream, file).then(resolve, reject))
    })
    // Without a limit, since the guest stands still meanwhile.
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 })
    await qmp.execute('migrate', { uri: `unix:${socket}` })
    await waitForMigration(qmp)
    await received
    writeFileSync(
      join(directory, 'state.json'),
      JSON.stringify({ emulator: { backend: 'qemu', takenPorts } }),
    )
  } catch (error) {
    throw failed(...outer, describeSystemError(error))
  } finally {
    server.close()
    rmSync(socket, { force: true })
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
