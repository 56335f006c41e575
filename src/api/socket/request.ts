import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { BoxError } from '../../machines/index.ts'
import { maxBody, tooLarge } from './wire.ts'

/** The owner could not be reached, or was gone before it had answered. */
export class OwnerLost extends Error {
  override readonly name = 'OwnerLost'
  /** the request may have reached it */
  readonly reached: boolean

  constructor(reached: boolean, cause: unknown) {
    super('The owner of the home does not answer', { cause })
    this.reached = reached
  }
}

export interface Exchange {
  readonly request: ClientRequest
  /** resolves with the head of the answer */
  readonly response: Promise<IncomingMessage>
}

export interface ExchangeOptions {
  readonly socket: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  /** an exchange that does not hold keeps no process alive once it has begun */
  readonly holds: boolean
}

/** One request on a connection of its own: a Unix socket's costs little, and none is left idle. */
export function exchange({ socket, method, path, body, holds }: ExchangeOptions): Exchange {
  const text = body === undefined ? undefined : JSON.stringify(body)
  if (text !== undefined && Buffer.byteLength(text) > maxBody) throw tooLarge()
  const headers = text === undefined ? {} : { 'content-type': 'application/json' }
  let reached = false
  const made = request({ socketPath: socket, method, path, headers, agent: false })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    made.once('socket', socket => {
      socket.once('connect', () => {
        reached = true
      })
    })
    made.once('response', answer => {
      if (!holds) answer.socket.unref()
      resolve(answer)
    })
    made.on('error', cause => reject(new OwnerLost(reached, cause)))
  })
  made.end(text)
  return { request: made, response }
}

export interface UpgradeOptions {
  readonly socket: string
  readonly path: string
  readonly protocol: string
  /** how long the owner may take over it, in `ms` */
  readonly limitMs: number
  readonly signal: AbortSignal
}

/** A connection that the owner has taken over from HTTP. Rejects with {@link OwnerLost} where it does not answer. */
export function upgraded({ socket, path, protocol, limitMs, signal }: UpgradeOptions): Promise<Socket> {
  const headers = { connection: 'Upgrade', upgrade: protocol }
  const made = request({ socketPath: socket, path, headers, agent: false })
  const abort = () => made.destroy(new Error('not wanted any more'))
  const limit = setTimeout(() => made.destroy(new Error(`no answer in ${limitMs} ms`)), limitMs)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  const taken = new Promise<Socket>((resolve, reject) => {
    made.once('upgrade', (_, connection: Socket, head) => {
      if (head.length > 0) connection.unshift(head)
      resolve(connection)
    })
    made.once('response', answer => {
      answer.resume()
      reject(new BoxError('UNSUPPORTED', `The owner of the home does not know ${protocol}`))
    })
    made.on('error', cause => reject(new OwnerLost(false, cause)))
  })
  made.end()
  return taken.finally(() => {
    clearTimeout(limit)
    signal.removeEventListener('abort', abort)
  })
}

export async function bodyOf(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new OwnerLost(true, cause)
  }
}

/** The values of NDJSON, read no faster than they are taken. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<unknown, void, undefined> {
  let rest: Buffer[] = []
  try {
    for await (const chunk of response) {
      let from = 0
      const bytes = chunk as Buffer
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
        const line = Buffer.concat([...rest, bytes.subarray(from, end)])
        rest = []
        from = end + 1
        yield JSON.parse(line.toString('utf8'))
      }
      if (from < bytes.length) rest.push(bytes.subarray(from))
    }
  } catch (cause) {
    throw new OwnerLost(true, cause)
  }
}
