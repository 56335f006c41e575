import { createServer, type Server, type Socket } from 'node:net'
import { type Request, RequestParser } from './request-parser.ts'
import {
  CONTINUE,
  formatParseError,
  formatResponse,
  type Response,
  TOO_MANY_CONNECTIONS,
} from './response.ts'

/** Bytes in place of an answer, and whether more and more of them follow. */
export interface Raw {
  readonly raw: string
  readonly endless: boolean
}

/** `cut` closes the connection without an answer. */
export type Answered = Response | Raw | 'cut'

export type Handler = (request: Request) => Promise<Answered>

const MAX_CONNECTIONS = 10

/** The HTTP side of the API: at most ten connections, none ever timed out or closed by the server. */
export function createHttpServer(handle: Handler): Server {
  const open = new Set<Socket>()
  return createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => socket.destroy())
    if (open.size < MAX_CONNECTIONS) admit(socket, open, handle)
    // Others that have gone at the same time may be noticed after it.
    else setImmediate(() => setImmediate(() => admit(socket, open, handle)))
  })
}

function admit(socket: Socket, open: Set<Socket>, handle: Handler): void {
  if (open.size >= MAX_CONNECTIONS) {
    socket.end(TOO_MANY_CONNECTIONS, () => socket.destroy())
    return
  }
  open.add(socket)
  socket.on('close', () => open.delete(socket))
  // A client that closes its half gets no more answers; what it asked for is done nevertheless.
  socket.on('end', () => {
    // Now, and not when Node says `close`: the next connection may have been waiting for the place.
    open.delete(socket)
    socket.destroy()
  })
  serve(socket, handle)
}

function serve(socket: Socket, handle: Handler): void {
  const parser = new RequestParser()
  socket.on('data', (bytes: Buffer) => {
    for (const parsed of parser.feed(bytes)) {
      if (parsed.type === 'request') void answer(socket, parsed.request, handle)
      else write(socket, parsed.type === 'continue' ? CONTINUE : formatParseError(parsed.message))
    }
  })
  socket.on('drain', () => socket.resume())
}

async function answer(socket: Socket, request: Request, handle: Handler): Promise<void> {
  const response = await handle(request)
  if (response === 'cut') socket.destroy()
  else if ('raw' in response) writeRaw(socket, response)
  else write(socket, formatResponse(response), response.sent)
}

function write(socket: Socket, bytes: Buffer, sent: () => void = () => undefined): void {
  if (socket.destroyed) sent()
  else if (!socket.write(bytes, () => sent())) socket.pause()
}

function writeRaw(socket: Socket, { raw, endless }: Raw): void {
  socket.write(raw)
  if (!endless) return
  const more = Buffer.alloc(64 * 1024, 'x')
  const pour = () => {
    while (!socket.destroyed && socket.write(more));
  }
  socket.on('drain', pour)
  pour()
}
