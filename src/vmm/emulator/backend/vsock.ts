import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describeSystemError, failed } from '../api-error.ts'
import { listen } from './serial-port.ts'

/** Connects to a port in the guest; nothing where nobody listens. */
export type Dial = (port: number) => Promise<Duplex | undefined>

/** The host's end of a hybrid vsock device. */
export interface VsockListener {
  /** From now on there is a guest to connect to. */
  serve(dial: Dial): void
  close(): Promise<void>
}

const MAX_REQUEST_BYTES = 32

/**
 * Binds the socket of a `vsock` device. A connection says `CONNECT <port>` and is answered `OK <port of the host>`; where
 * nobody listens it is refused as the real one refuses it, by a plain close without a line.
 */
export async function listenVsock(path: string): Promise<VsockListener> {
  const clients = new Set<Socket>()
  let dial: Dial = async () => undefined
  let hostPort = 1 << 30
  const server = createServer(socket => {
    clients.add(socket)
    socket.on('close', () => clients.delete(socket))
    socket.on('error', () => socket.destroy())
    let request = ''
    const read = (bytes: Buffer): void => {
      request += bytes.toString('latin1')
      const end = request.indexOf('\n')
      if (end === -1 && request.length <= MAX_REQUEST_BYTES) return
      socket.off('data', read)
      socket.pause()
      const rest = Buffer.from(request.slice(end + 1), 'latin1')
      const port = /^CONNECT (\d{1,10})$/i.exec(request.slice(0, Math.max(0, end)))?.[1]
      void join(socket, port === undefined ? undefined : dial(Number(port)), rest, () => hostPort++)
    }
    socket.on('data', read)
  })
  try {
    await listen(server, path)
  } catch (error) {
    throw failed(
      'Error from device manager',
      'Cannot create virtio-vsock backend',
      'Error binding to the host-side Unix socket',
      describeSystemError(error),
    )
  }
  return {
    serve: newDial => {
      dial = newDial
    },
    close: () => close(server, clients),
  }
}

async function join(
  client: Socket,
  dialled: Promise<Duplex | undefined> | undefined,
  rest: Buffer,
  nextPort: () => number,
): Promise<void> {
  const guest = await dialled
  if (guest === undefined) return void client.destroy()
  guest.on('error', () => guest.destroy())
  guest.on('close', () => client.end())
  client.on('close', () => guest.destroy())
  if (client.destroyed) return void guest.destroy()
  client.write(`OK ${nextPort()}\n`)
  guest.write(rest)
  client.pipe(guest).pipe(client)
}

function close(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  for (const client of clients) client.destroy()
  return new Promise(resolve => server.close(() => resolve()))
}
