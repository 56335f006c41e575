import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { failed } from '../api-error.ts'
import type { BackendOptions, Guest, GuestRequest } from './backend.ts'
import { GuestPorts } from './guest-ports.ts'
import { formatQemuArguments, INCOMING_FD } from './qemu-arguments.ts'
import { type QemuProcess, spawnQemu } from './qemu-process.ts'
import { leaveMemoryOut, readSavedGuest, type SavedGuest, saveQemu } from './qemu-save.ts'
import { Qmp, type QmpEvent } from './qmp.ts'

/** Longest wait for QEMU to leave by itself, in ms. */
const QUIT_MS = 2000

/** Starts a guest under QEMU; resolves when its processors run, or, restored, when it could run. */
export async function startQemu(request: GuestRequest, options: BackendOptions): Promise<Guest> {
  const { config, serial, console, restoreFrom } = request
  const saved = restoreFrom === undefined ? undefined : readSavedGuest(restoreFrom)
  const ports =
    config.vsock === undefined ? undefined : new GuestPorts(config.vsock.socket, saved?.takenPorts)
  const args = formatQemuArguments(config, {
    ports,
    accel: options.accel,
    serialFile: serial.file,
    consoleFile: console.file,
    memoryFile: saved?.devices && saved.memoryFile,
    incoming: saved && (saved.devices ? 'devices' : 'whole'),
  })
  const qemu = spawnSaved(saved, incoming => spawnQemu(options.qemuBinary, args, incoming, options.log))
  qemu.serial.on('data', (bytes: Buffer) => serial.write(bytes))
  serial.onInput(bytes => void qemu.serial.write(bytes))
  const life = { over: false }
  const qmp = new Qmp(qemu.qmp, event => {
    if (event.event === 'VSERPORT_CHANGE') ports?.hearChange(event.data ?? {})
    else tellHappening(event, request, life)
  })
  try {
    await qmp.execute('qmp_capabilities')
    if (saved === undefined) await qmp.execute('cont')
    else await takeIncoming(qmp, qemu, saved)
  } catch {
    qemu.kill()
    await qemu.gone
    throw describeFailure(qemu)
  }
  // A QEMU that goes by itself is to its guest what a failed processor is.
  void qemu.gone.then(() => {
    if (!life.over) request.tell('vcpu-error')
  })
  return {
    ...toGuest(qmp, qemu, life, options),
    dial: async port => await ports?.dial(port),
    save: directory =>
      saveQemu(qmp, directory, { socketDirectory: options.socketDirectory, takenPorts: ports?.taken ?? [] }),
  }
}

function tellHappening({ event, data }: QmpEvent, { tell }: GuestRequest, life: { over: boolean }): void {
  if (life.over) return
  if (event === 'GUEST_PANICKED') tell('panic')
  if (event !== 'SHUTDOWN' || data?.guest !== true) return
  life.over = true
  tell(data.reason === 'guest-reset' ? 'reset' : 'power-off')
}

function toGuest(
  qmp: Qmp,
  qemu: QemuProcess,
  life: { over: boolean },
  options: BackendOptions,
): Omit<Guest, 'dial' | 'save'> {
  const tellQemu = async (command: string): Promise<void> => {
    try {
      await qmp.execute(command)
    } catch (error) {
      throw failed('Error from QEMU', error instanceof Error ? error.message : String(error))
    }
  }
  return {
    pause: () => tellQemu('stop'),
    resume: () => tellQemu('cont'),
    pressPowerButton: async () => {
      if (!options.powerButtonIgnored) await tellQemu('system_powerdown')
    },
    injectNmi: () => tellQemu('inject-nmi'),
    cut: async () => {
      life.over = true
      // Asked politely, QEMU writes back what it holds of its disk images.
      qmp.execute('quit').catch(() => undefined)
      const timer = new AbortController()
      await Promise.race([
        qemu.gone,
        delay(QUIT_MS, undefined, { signal: timer.signal }).catch(() => undefined),
      ])
      timer.abort()
      qemu.kill()
      await qemu.gone
    },
  }
}

/** What was saved as a whole QEMU reads from its file; of a guest whose memory is a file it is told the devices. */
function spawnSaved(
  saved: SavedGuest | undefined,
  spawn: (incoming: number | 'pipe' | undefined) => QemuProcess,
): QemuProcess {
  if (saved === undefined) return spawn(undefined)
  if (saved.devices) return spawn('pipe')
  const file = openSync(saved.memoryFile, 'r')
  try {
    return spawn(file)
  } finally {
    closeSync(file)
  }
}

async function takeIncoming(qmp: Qmp, qemu: QemuProcess, { devices }: SavedGuest): Promise<void> {
  if (devices) {
    qemu.incoming?.end(devices)
    await leaveMemoryOut(qmp)
    await qmp.execute('migrate-incoming', { uri: `fd:${INCOMING_FD}` })
  }
  for (;;) {
    const { status } = (await qmp.execute('query-status')) as { status: string }
    if (status !== 'inmigrate') return
    await delay(1)
  }
}

function describeFailure(qemu: QemuProcess): Error {
  const words = qemu.lastWords()
  if (words.includes('Failed to get ')) {
    return failed('Error locking disk images: Another instance likely holds a lock', words)
  }
  return failed('boxledger-vmm: QEMU did not start the guest', words)
}
