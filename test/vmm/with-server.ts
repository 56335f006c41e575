import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Client } from '../../src/vmm/cloud-hypervisor/client.ts'
import { withTempDir } from '../support/tmp.ts'

export type Behaviour = (socket: Socket, request: string) => void

/** A server that does as it is told with every request it has got whole. */
export async function withServer(
  behave: Behaviour,
  body: (client: Client, requests: string[]) => Promise<void>,
): Promise<void> {
  await withTempDir(async dir => {
    const requests: string[] = []
    const sockets = new Set<Socket>()
    const server: Server = createServer(socket => {
      sockets.add(socket)
      let text = ''
      socket.on('error', () => {}) // the client has gone
      socket.on('data', chunk => {
        text += chunk.toString('latin1')
        const head = text.indexOf('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)
        if (head === -1 || text.length < head + 4 + length) return
        const request = text.slice(0, head + 4 + length)
        text = text.slice(request.length)
        requests.push(request)
        behave(socket, request)
      })
    })
    await new Promise<void>(resolve => server.listen(join(dir, 's'), resolve))
    const client = new Client(join(dir, 's'))
    try {
      await body(client, requests)
    } finally {
      client.close()
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  })
}

export const answer = (status: number, body: string): string =>
  `HTTP/1.1 ${status} \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\n` +
  `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

export const none = 'HTTP/1.1 204 \r\nServer: Cloud Hypervisor API\r\nConnection: keep-alive\r\n\r\n'

export const says =
  (text: string): Behaviour =>
  socket =>
    socket.write(text)
