import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Answer } from './answer.ts'
import { ApiError, type ApiErrorKind, errorOfAnswer, errorOfTransport } from './api-error.ts'

export interface Call {
  readonly method: 'GET' | 'PUT'
  /** last part of the path, as `vm.info` */
  readonly name: string
  readonly body?: string
  /** from when it is sent, in `ms` */
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
}

/** What cloud-hypervisor to v53 takes of a body, in `bytes`; the rest of a larger one it reads as new requests. */
export const longestBody = 51_200

/** What is read of an answer, in `bytes`; vm.info of 64 disks has some 50,000. */
const longestAnswer = 4 << 20

/** Interim answers (status 1xx) that are read over before one; the VMM sends none that are not asked for. */
const mostInterim = 16

/**
 * HTTP over a VMM's socket. The VMM takes ten connections and answers one call after the other, so one kept
 * connection is all there is, and calls wait here for their turn. A call that is given up gives up its connection: its
 * answer must not be taken for that of the next.
 */
export class Transport {
  readonly #socket: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 })
  #last: Promise<unknown> = Promise.resolve()
  #open = 0

  constructor(socket: string) {
    this.#socket = socket
  }

  /** Calls that are under way or wait for their turn. */
  get pending(): number {
    return this.#open
  }

  /** The answer if it is a success; throws ApiError. */
  async call(call: Call): Promise<Answer> {
    if (call.body !== undefined && Buffer.byteLength(call.body) > longestBody) {
      const message = `${call.name} would take ${Buffer.byteLength(call.body)} bytes; the VMM takes ${longestBody}`
      throw new ApiError('refused', message, { messages: [message] })
    }
    const before = this.#last
    const done = (async () => {
      await before
      return this.#send(call)
    })()
    this.#open++
    this.#last = done.then(
      () => this.#open--,
      () => this.#open--,
    )
    const answer = await done
    if (answer.status < 200 || answer.status > 299) throw errorOfAnswer(call.name, answer)
    return answer
  }

  close(): void {
    this.#agent.destroy()
  }

  async #send({ method, name, body, limitMs, signal }: Call): Promise<Answer> {
    if (signal?.aborted) throw new ApiError('aborted', `${name} was given up`)
    const headers: Record<string, string | number> = { Accept: 'application/json' }
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    // A body goes out in one piece with its length: the VMM does not understand chunks.
    if (method === 'PUT') headers['Content-Length'] = Buffer.byteLength(body ?? '')
    const path = `/api/v1/${name}`
    const sent = request({ socketPath: this.#socket, agent: this.#agent, method, path, headers })
    let givenUp: ApiError | undefined
    const giveUp = (kind: ApiErrorKind, what: string) => {
      givenUp = new ApiError(kind, `${name} was ${what}`)
      sent.destroy(givenUp)
    }
    let interim = 0
    sent.on('information', () => {
      if (++interim === mostInterim) giveUp('garbled', `answered with ${mostInterim} interim answers`)
    })
    const onAbort = () => giveUp('aborted', 'given up')
    const timer = setTimeout(() => giveUp('silent', `not answered within ${limitMs} ms`), limitMs)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const response = await responseTo(sent, body)
      return { status: response.statusCode ?? 0, body: await readAll(response) }
    } catch (error) {
      sent.destroy()
      throw givenUp ?? errorOfTransport(name, error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

function responseTo(sent: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.on('close', () => reject(new Error('the connection was closed')))
    sent.end(body)
  })
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestAnswer)
      throw new ApiError('garbled', `The answer is longer than ${longestAnswer} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
