import { createServer, type Server, type Socket } from 'node:net'
import { describeSystemError, failed } from '../api-error.ts'
import { listen } from './serial-port.ts'

/** The host's end of a hybrid vsock device. */
export interface VsockListener {
  close(): Promise<void>
}

const MAX_REQUEST_BYTES = 32

/**
 * Binds the socket of a `vsock` device. Nobody listens in these guests yet, so every `CONNECT <port>` is refused as
 * the real one refuses it: by a plain close, without a line.
 */
export async function listenVsock(path: string): Promise<VsockListener> {
  const clients = new Set<Socket>()
  const server = createServer(socket => {
    clients.add(socket)
    socket.on('close', () => clients.delete(socket))
    socket.on('error', () => socket.destroy())
    let request = ''
    socket.on('data', (bytes: Buffer) => {
      request += bytes.toString('latin1')
      if (request.includes('\n') || request.length > MAX_REQUEST_BYTES) socket.destroy()
    })
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
  return { close: () => close(server, clients) }
}

function close(server: Server, clients: ReadonlySet<Socket>): Promise<void> {
  for (const client of clients) client.destroy()
  return new Promise(resolve => server.close(() => resolve()))
}
