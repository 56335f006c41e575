import { connect, type Socket } from 'node:net'
import { agentPort, agentVersion, longestFrame } from '../images/agent-protocol.ts'
import { FrameReader, frameOf } from './frames.ts'
import { Program, type ProgramSpec } from './program.ts'

/** The way into a guest. */
export interface GuestChannel {
  /** Fires when it is closed, by whichever side. */
  readonly closed: AbortSignal
  run(program: ProgramSpec): Program
  /** Lets go of a program that does not end however it is told to: nothing more is heard of it. */
  abandon(program: Program): void
  /** Says whether a snapshot is being made, and waits until that is heard, for a second at most. */
  stay(stays: boolean): Promise<void>
  /**
   * Tells the agent what it is to know after a restore, see `images/agent-renewal.ts`. Gives what of it failed, or nothing;
   * undefined if the agent says no word, within seconds: one of an older image does not know what is meant.
   */
  setRight(identity: Uint8Array): Promise<string | undefined>
  /** Ends the session, and with it all that it has started. */
  close(): void
}

/** There is nobody at the other end, or what is there is no agent of ours. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
}

/** What may wait to be sent, in `bytes`: a guest that floods and never reads is given up. */
const mostUnsent = 64 << 20

/** How long an agent may take to hear what it is told, in `ms`; one of an older image never says so. */
const heardMs = 1_000

/** How long one may take to be another box: its SSH server may have many keys. */
const setRightMs = 5_000

/** How long an agent that has taken the connection may take to say so, in `ms`. */
const helloMs = 5_000

export interface ConnectOptions {
  /** the wait for its answer keeps the process alive; default true */
  readonly holds?: boolean
  /** Is called as soon as something can be said, which the agent hears without having been waited for. */
  readonly first?: ((channel: GuestChannel) => void) | undefined
}

/**
 * Connects to the agent of a guest, over the hybrid vsock socket of its VMM.
 *
 * @throws ChannelError
 */
export async function connectGuest(
  socketPath: string,
  signal: AbortSignal,
  { holds = true, first }: ConnectOptions = {},
): Promise<GuestChannel> {
  signal.throwIfAborted()
  const socket = connect(socketPath)
  if (!holds) socket.unref()
  const channel = new AgentChannel(socket, first)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(helloMs)])
  const giveUp = () => socket.destroy(new Error('the guest does not answer'))
  limit.addEventListener('abort', giveUp, { once: true })
  if (limit.aborted) giveUp()
  try {
    socket.write(`CONNECT ${agentPort}\n`)
    await channel.hello
    return channel
  } finally {
    limit.removeEventListener('abort', giveUp)
  }
}

class AgentChannel implements GuestChannel {
  readonly hello: Promise<void>
  readonly #socket: Socket
  readonly #first: ConnectOptions['first']
  readonly #reader = new FrameReader()
  readonly #programs = new Map<number, Program>()
  readonly #closed = new AbortController()
  readonly #onHeard = new Set<() => void>()
  readonly #onSetRight = new Set<(failed: string) => void>()
  #line: string | undefined = ''
  #greeted!: () => void
  #isGreeted = false
  #last = 0

  constructor(socket: Socket, first: ConnectOptions['first']) {
    this.#socket = socket
    this.#first = first
    this.hello = new Promise((resolve, reject) => {
      this.#greeted = resolve
      this.closed.addEventListener('abort', () => reject(this.closed.reason), { once: true })
    })
    this.hello.catch(() => {}) // told to whoever waits for it
    let cause: Error | undefined
    socket.on('error', error => (cause = error))
    socket.on('close', () => this.#end(cause))
    socket.on('data', (bytes: Buffer) => {
      try {
        this.#read(bytes)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  run({ args, env, workdir, user, terminal }: ProgramSpec): Program {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
    const size = terminal ? `${terminal.columns} ${terminal.rows}` : ''
    const words = [user, workdir, size, String(variables.length), ...variables, ...args]
    const content = Buffer.from(words.map(word => `${word}\0`).join(''))
    if (content.length > longestFrame)
      throw new ChannelError(`A program with ${content.length} bytes of arguments`)
    const id = ++this.#last
    const program = new Program(id, frame => this.#send(frame))
    if (this.closed.aborted) program.lose(this.closed.reason)
    else {
      this.#programs.set(id, program)
      this.#socket.ref()
      this.#send(frameOf('x', id, content))
    }
    return program
  }

  abandon(program: Program): void {
    for (const [id, known] of this.#programs) if (known === program) this.#programs.delete(id)
    program.lose(new ChannelError('The program in the guest did not end when it was told to'))
    this.#rest()
  }

  async stay(stays: boolean): Promise<void> {
    if (this.closed.aborted) return
    this.#socket.ref()
    this.#send(frameOf('z', 0, Buffer.from(stays ? '1' : '0')))
    const limit = AbortSignal.any([this.closed, AbortSignal.timeout(heardMs)])
    await new Promise<void>(resolve => {
      const heard = () => {
        this.#onHeard.delete(heard)
        resolve()
      }
      this.#onHeard.add(heard)
      limit.addEventListener('abort', heard, { once: true })
    })
    this.#rest()
  }

  async setRight(identity: Uint8Array): Promise<string | undefined> {
    if (this.closed.aborted) return undefined
    this.#socket.ref()
    this.#send(frameOf('b', 0, identity))
    const failed = await new Promise<string | undefined>(resolve => {
      this.#onSetRight.add(resolve)
      const giveUp = () => resolve(undefined)
      this.closed.addEventListener('abort', giveUp, { once: true })
      // From when it is there: until then it is its greeting that is waited for.
      const limit = () => AbortSignal.timeout(setRightMs).addEventListener('abort', giveUp, { once: true })
      this.hello.then(limit, giveUp)
    })
    this.#onSetRight.clear()
    this.#rest()
    return failed
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(bytes: Buffer): void {
    const rest = this.#line === undefined ? bytes : this.#readLine(bytes)
    for (const { type, id, content } of this.#reader.read(rest)) {
      if (type === 'h') this.#hear(content)
      if (type === 'z') for (const heard of this.#onHeard) heard()
      if (type === 'b') for (const done of this.#onSetRight) done(content.toString('latin1'))
      const program = this.#programs.get(id)
      if (type === 'x') this.#programs.delete(id)
      program?.hear(type, content)
    }
    this.#rest()
  }

  /** A session in which nothing runs, and nothing is waited for, keeps no process alive. */
  #rest(): void {
    const waits = this.#programs.size + this.#onHeard.size + this.#onSetRight.size > 0
    if (this.#isGreeted && !waits) this.#socket.unref()
  }

  #send(frame: Buffer): void {
    if (this.#socket.destroyed) return
    this.#socket.write(frame)
    if (this.#socket.writableLength > mostUnsent)
      this.#socket.destroy(new Error('the guest does not read what it is sent'))
  }

  /** The VMM's `OK <port>`; gives what comes after it. */
  #readLine(bytes: Buffer): Buffer {
    const end = bytes.indexOf('\n')
    this.#line += bytes.toString('latin1', 0, end === -1 ? 64 : Math.min(end, 64))
    if (end === -1 && (this.#line?.length ?? 0) < 64) return Buffer.alloc(0)
    if (!/^OK \d+\r?$/.test(this.#line ?? '')) throw new Error('the VMM says no OK to the connection')
    this.#line = undefined
    this.#first?.(this)
    return bytes.subarray(end + 1)
  }

  #hear(content: Buffer): void {
    const version = content.toString('latin1')
    if (version !== String(agentVersion))
      throw new Error(`the agent in the guest is of version ${JSON.stringify(version.slice(0, 16))}`)
    this.#isGreeted = true
    this.#greeted()
  }

  #end(cause: Error | undefined): void {
    const message = `The channel to the guest is closed${cause ? `: ${cause.message}` : ''}`
    const error = new ChannelError(message, { cause })
    this.#closed.abort(error)
    for (const program of this.#programs.values()) program.lose(error)
    this.#programs.clear()
  }
}
