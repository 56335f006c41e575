import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { describeSystemError, failed } from '../api-error.ts'

export interface SerialPortConfig {
  readonly mode: 'Off' | 'Pty' | 'Tty' | 'File' | 'Socket' | 'Null'
  readonly file?: string | undefined
  readonly socket?: string | undefined
}

/** The host's end of a serial port or console. It is there from `vm.create` on. */
export interface SerialPort {
  /** The file that takes the output, where there is one. */
  readonly file: string | undefined
  write(bytes: Uint8Array): void
  /** Input from the host; one listener, the newest. */
  onInput(listener: (bytes: Buffer) => void): void
  /** Forgets what the last boot printed: a file is truncated, a client is sent away. */
  renew(): void
  close(): void
}

export async function openSerialPort(config: SerialPortConfig): Promise<SerialPort> {
  try {
    if (config.mode === 'File' && config.file !== undefined) return openFile(config.file)
    if (config.mode === 'Socket' && config.socket !== undefined) return await openSocket(config.socket)
  } catch (error) {
    throw failed(
      'Error creating console devices',
      'Error creating console device',
      describeSystemError(error),
    )
  }
  if (config.mode === 'Tty') return openStdout()
  if (config.mode === 'Pty') {
    throw failed(
      'Error creating console devices',
      'Error creating console device',
      'boxledger-vmm has no pty',
    )
  }
  return closedPort(undefined)
}

/** A port that takes nothing and gives nothing. */
function closedPort(file: string | undefined): SerialPort {
  return {
    file,
    write: () => undefined,
    onInput: () => undefined,
    renew: () => undefined,
    close: () => undefined,
  }
}

/**
 * Written on where it was, like the real one's, whatever else is done to the file. QEMU has a descriptor of its own, and
 * nothing is written here then.
 */
function openFile(path: string): SerialPort {
  const fd = openSync(path, 'w')
  let at = 0
  return {
    ...closedPort(path),
    write: bytes => {
      at += writeSync(fd, bytes, 0, bytes.length, at)
    },
    renew: () => {
      ftruncateSync(fd)
      at = 0
    },
    close: () => closeSync(fd),
  }
}

function openStdout(): SerialPort {
  return { ...closedPort(undefined), write: bytes => void process.stdout.write(bytes) }
}

async function openSocket(path: string): Promise<SerialPort> {
  let client: Socket | undefined
  let hear: (bytes: Buffer) => void = () => undefined
  const backlog: Uint8Array[] = []
  const server = createServer(socket => {
    client?.destroy()
    client = socket
    for (const bytes of backlog.splice(0)) socket.write(bytes)
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => hear(bytes))
    socket.on('close', () => {
      if (client === socket) client = undefined
    })
  })
  await listen(server, path)
  return {
    file: undefined,
    write: bytes => {
      if (client !== undefined) client.write(bytes)
      else if (backlog.length < 1024) backlog.push(bytes)
    },
    onInput: listener => {
      hear = listener
    },
    renew: () => {
      client?.destroy()
      backlog.length = 0
    },
    close: () => {
      client?.destroy()
      // Left behind like the real one's: closing would unlink it.
      server.unref()
    },
  }
}

/** Listens on a Unix socket; a file in the way is an error, as it is for the real one. */
export function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    // ENOENT: it is gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
