import { setMaxListeners } from 'node:events'
import { chmodSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Engine } from '../../engine/index.ts'
import { LookUp } from '../embedded/look-up.ts'
import { EmbeddedRuntime } from '../embedded/runtime.ts'
import { socketOf } from '../home.ts'
import { routesOf } from './routes.ts'
import { serveConnection } from './transfer-server.ts'

/** How long a closing owner goes on with the calls it has begun, in `ms`; they are asked again at the next one. */
const drainMs = 1_000

/** How long a client may take over a request, in `ms`: one that never ends it holds a connection no longer. */
const requestMs = 30_000

/** The owner's socket. Who holds the home's lock holds the socket's name too: what is found there is of the dead. */
export class OwnerServer {
  readonly #server: Server
  readonly #path: string
  readonly #sockets: Set<Socket>
  readonly #underway: Set<Promise<unknown>>
  readonly #closing: AbortController

  private constructor(
    server: Server,
    path: string,
    sockets: Set<Socket>,
    underway: Set<Promise<unknown>>,
    closing: AbortController,
  ) {
    this.#server = server
    this.#path = path
    this.#sockets = sockets
    this.#underway = underway
    this.#closing = closing
  }

  static async open(engine: Engine): Promise<OwnerServer> {
    const sockets = new Set<Socket>()
    const underway = new Set<Promise<unknown>>()
    const closing = new AbortController()
    // Every call that is being answered listens.
    setMaxListeners(0, closing.signal)
    const routes = routesOf({
      served: { engine, runtime: new EmbeddedRuntime(engine), lookUp: new LookUp(engine) },
      underway: call => {
        underway.add(call)
        const done = () => underway.delete(call)
        call.then(done, done)
      },
      closing: closing.signal,
    })
    // The globals belong to the program that embeds us.
    const server = createServer(getRequestListener(routes.fetch, { overrideGlobalObjects: false }))
    // For a client to say what it wants; the answer may take as long as a guest takes to boot.
    server.requestTimeout = requestMs
    server.on('upgrade', (request, socket, head) => serveConnection(engine, request, socket, head))
    server.on('connection', socket => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      // Being looked at is no reason for a program to stay.
      socket.unref()
    })
    const path = socketOf(engine.home)
    await listen(server, path)
    return new OwnerServer(server, path, sockets, underway, closing)
  }

  /** Takes no more calls, finishes shortly what it has begun, and leaves the rest to the next owner. */
  async close(): Promise<void> {
    rmSync(this.#path, { force: true })
    // Who has connected is not sent away unheard.
    await turn()
    this.#server.close()
    await settled(this.#underway, drainMs)
    this.#closing.abort()
    await settled(this.#underway, drainMs)
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** The name appears when the socket is ready, with nobody but its owner allowed. */
async function listen(server: Server, path: string): Promise<void> {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(temporary, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.unref()
  chmodSync(temporary, 0o600)
  renameSync(temporary, path)
}

/** Resolves when the calls are over and their answers had a turn of the event loop to go out, or time is up. */
async function settled(calls: ReadonlySet<Promise<unknown>>, limitMs: number): Promise<void> {
  if (calls.size === 0) return
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([limit, Promise.allSettled([...calls])])
  clearTimeout(timer)
  await turn()
}

/** Long enough for what waits at a socket to be taken, and for what is written to go out. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
}
