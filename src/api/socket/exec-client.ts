import type { Socket } from 'node:net'
import { BoxError } from '../../machines/index.ts'
import { FrameReader, frameOf, Program } from '../../vmm/index.ts'
import type { ExecutionEnd, RunningCommand } from '../execution.ts'
import type { OwnerClient } from './client.ts'
import { execFrames, execProtocol, type WireCommand } from './exec-wire.ts'
import { fromWire, type WireError } from './wire.ts'

type Outcome = ExecutionEnd & { readonly reason?: string }

/** Has the owner run a command: its streams go over a connection of their own. */
export async function beginRemoteExec(
  client: OwnerClient,
  path: string,
  wanted: WireCommand,
  signal: AbortSignal | undefined,
): Promise<RunningCommand> {
  const socket = await client.upgrade(path, execProtocol, signal)
  const remote = new RemoteCommand(socket, wanted)
  const abort = () => remote.abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await remote.begun
  } finally {
    signal?.removeEventListener('abort', abort)
  }
  return remote
}

class RemoteCommand implements RunningCommand {
  readonly begun: Promise<void>
  readonly outcome: Promise<Outcome>
  readonly #socket: Socket
  readonly #program: Program
  readonly #reader = new FrameReader()
  #begin: () => void = () => {}
  #end: (outcome: Outcome) => void = () => {}
  #fail: (error: BoxError) => void = () => {}
  #leave: () => void = () => {}
  #isLeft = false

  constructor(socket: Socket, wanted: WireCommand) {
    const { id } = wanted
    this.#socket = socket
    this.#program = new Program(1, frame => this.#send(frame))
    this.outcome = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.outcome.catch(() => {}) // told to whoever waits for it
    this.begun = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.outcome.catch(reject)
    })
    const gone = (cause?: Error) =>
      this.#isLeft ||
      this.#lose(
        new BoxError('EXEC_LOST', `The owner of the home ended before execution ${id} did`, {
          details: { execution: id },
          cause,
        }),
      )
    socket.on('error', gone)
    socket.on('close', () => gone())
    socket.on('data', (bytes: Buffer) => {
      try {
        for (const frame of this.#reader.read(bytes)) this.#hear(frame.type, frame.content)
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    this.#send(frameOf(execFrames.begin, 1, Buffer.from(JSON.stringify(wanted))))
  }

  get stdout() {
    return this.#program.stdout
  }

  get stderr() {
    return this.#program.stderr
  }

  get stdin() {
    return this.#program.stdin
  }

  kill(signal: string): void {
    this.#program.kill(signal)
  }

  resize(columns: number, rows: number): void {
    this.#program.resize(columns, rows)
  }

  abort(): void {
    this.#program.destroy()
  }

  async detach(): Promise<void> {
    const left = new Promise<void>(resolve => {
      this.#leave = resolve
    })
    this.#send(frameOf(execFrames.leave, 1))
    await Promise.race([left, this.outcome])
  }

  #hear(type: string, content: Buffer): void {
    if (type === execFrames.begun) this.#begin()
    else if (type === execFrames.leave) {
      this.#isLeft = true
      this.#program.hear('x', Buffer.from([0, 0]))
      this.#leave()
      this.#socket.destroy()
    } else if (type === execFrames.ended) {
      // Its outputs end with it, as at the guest's own end.
      this.#program.hear('x', Buffer.from([0, 0]))
      this.#end(JSON.parse(content.toString('utf8')) as Outcome)
      this.#socket.end()
    } else if (type === execFrames.failed)
      this.#lose(fromWire(JSON.parse(content.toString('utf8')) as WireError))
    else this.#program.hear(type, content)
  }

  #lose(error: BoxError): void {
    this.#program.lose(error)
    this.#fail(error)
    this.#socket.destroy()
  }

  #send(frame: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(frame)
  }
}
