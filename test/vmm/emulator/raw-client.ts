import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from './wait.ts'

/** An answer as it came over the socket. */
export interface RawResponse {
  readonly interim: string | undefined
  readonly statusLine: string
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  /** Whether the server closed the connection with it: within 20 ms, or 2 s where that is expected. */
  readonly serverClosed: boolean
}

/** One connection, bytes in and bytes out. */
export class RawConnection {
  private readonly socket: Socket
  private received = Buffer.alloc(0)
  closed = false
  error: NodeJS.ErrnoException | undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes])
    })
    socket.on('end', () => {
      this.closed = true
    })
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('error', error => {
      this.error = error
    })
  }

  static async open(path: string): Promise<RawConnection> {
    const socket = connect({ path, allowHalfOpen: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawConnection(socket)
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  close(): void {
    this.socket.destroy()
  }

  /** Takes all that was received so far. */
  take(): string {
    const text = this.received.toString('utf8')
    this.received = Buffer.alloc(0)
    return text
  }

  get pending(): string {
    return this.received.toString('utf8')
  }

  /** The next answer, `undefined` if none comes in time or the connection ends. */
  async read(timeoutMs = 5_000, closes = false): Promise<RawResponse | undefined> {
    let interim: string | undefined
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const parsed = this.cut()
      if (parsed === undefined) {
        if (this.closed || Date.now() > deadline) return undefined
        await delay(1)
        continue
      }
      if (parsed.status === 100) {
        interim = parsed.head
        continue
      }
      await this.settle(closes ? 2_000 : 20)
      return { ...parsed, interim, serverClosed: this.closed }
    }
  }

  private async settle(ms: number): Promise<void> {
    const end = Date.now() + ms
    while (!this.closed && Date.now() < end) await delay(2)
  }

  private cut() {
    const headEnd = this.received.indexOf('\r\n\r\n')
    if (headEnd < 0) return undefined
    const head = this.received.toString('utf8', 0, headEnd)
    const [statusLine = '', ...lines] = head.split('\r\n')
    const headers = lines.map(
      line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const,
    )
    const length = Number(headers.find(([name]) => name === 'Content-Length')?.[1] ?? 0)
    const end = headEnd + 4 + length
    if (this.received.length < end) return undefined
    const body = this.received.toString('utf8', headEnd + 4, end)
    this.received = this.received.subarray(end)
    return { head, statusLine, status: Number(statusLine.split(' ')[1]), headers, body }
  }
}

export function formatRequest(method: string, path: string, body: string | null): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n`
  if (body === null) return `${head}\r\n`
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** One call on a connection of its own. */
export async function call(
  socketPath: string,
  method: string,
  path: string,
  body: string | null = null,
  closes = false,
): Promise<RawResponse> {
  const connection = await RawConnection.open(socketPath)
  try {
    connection.send(formatRequest(method, path, body))
    const response = await connection.read(60_000, closes)
    if (response === undefined) throw new Error(`no answer to ${method} ${path}`)
    return response
  } finally {
    connection.close()
  }
}

export async function waitForSocket(path: string): Promise<void> {
  await waitUntil(`a server on ${path}`, async () => {
    try {
      const connection = await RawConnection.open(path)
      connection.close()
      return true
    } catch {
      return undefined
    }
  })
}
