import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Engine } from '../../engine/index.ts'
import { BoxError } from '../../machines/index.ts'
import { FrameReader, frameOf, window } from '../../vmm/index.ts'
import { beginExec, checkExec } from '../embedded/exec.ts'
import type { RunningCommand } from '../execution.ts'
import { check, shapes } from '../options.ts'
import { execFrames, execProtocol } from './exec-wire.ts'
import { maxBody, toWire } from './wire.ts'

/** Longest piece of output that is sent at once, in `bytes`. */
const pieceBytes = 32 << 10

/** Takes connections over that are to carry a command; closes others. */
export function serveExec(engine: Engine, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => {}) // it closes then
  const [, box] = /^\/v1\/box\/([\w-]{1,64})\/exec$/.exec(request.url ?? '') ?? []
  socket.on('error', () => {}) // the client is gone, which its close tells
  if (box === undefined || request.headers.upgrade !== execProtocol) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    return
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${execProtocol}\r\n\r\n`)
  new ServedCommand(engine, box, socket).take(head)
}

/** One command of a client's: its frames one way, those of its outputs the other. */
class ServedCommand {
  readonly #engine: Engine
  readonly #box: string
  readonly #socket: Duplex
  readonly #reader = new FrameReader(maxBody)
  readonly #gone = new AbortController()
  readonly #credit = { o: new Credit(), r: new Credit() }
  #running: RunningCommand | undefined
  #isBegun = false
  #hasFailed = false
  /** the client has gone, and the command goes on */
  #isLeft = false
  /** what came before the command ran */
  #early: [type: string, content: Buffer][] = []

  constructor(engine: Engine, box: string, socket: Duplex) {
    this.#engine = engine
    this.#box = box
    this.#socket = socket
    socket.on('close', () => {
      if (!this.#isLeft) this.#abort()
      for (const credit of Object.values(this.#credit)) credit.end()
    })
    socket.on('data', (bytes: Buffer) => this.take(bytes))
  }

  take(bytes: Buffer): void {
    if (this.#hasFailed) return
    try {
      for (const { type, content } of this.#framesIn(bytes)) this.#hear(type, content)
    } catch (error) {
      this.#fail(error)
    }
  }

  #framesIn(bytes: Buffer) {
    try {
      return this.#reader.read(bytes)
    } catch {
      throw malformed()
    }
  }

  #hear(type: string, content: Buffer): void {
    if (type === execFrames.begin) {
      if (this.#isBegun) throw malformed()
      this.#isBegun = true
      this.#run(content).catch(error => this.#fail(error))
    } else if (type === 'd') this.#abort()
    else if (this.#running === undefined) {
      if (this.#early.length > 1_024) throw malformed()
      this.#early.push([type, Buffer.from(content)])
    } else this.#pass(this.#running, type, content)
  }

  #pass(running: RunningCommand, type: string, content: Buffer): void {
    if (type === 'i') {
      const { length } = content
      const taken = Buffer.alloc(4)
      taken.writeUInt32BE(length)
      const done = () => this.#send('c', taken)
      if (running.stdin.destroyed || running.stdin.writableEnded) done()
      else running.stdin.write(Buffer.from(content), done)
    } else if (type === 'e') running.stdin.end()
    else if (type === execFrames.leave) {
      this.#isLeft = true
      this.#send(execFrames.leave)
    } else if (type === 'k')
      running.kill(`SIG${check(shapes.signalName, content.toString('latin1'), 'signal')}`)
    else if (type === 'w') {
      const [columns, rows] = content.toString('latin1').split(' ').map(Number)
      const size = check(shapes.size, { columns, rows }, 'size')
      running.resize(size.columns, size.rows)
    } else if (type === 'c' && content.length === 5) {
      const stream = content.toString('latin1', 0, 1)
      if (stream === 'o' || stream === 'r') this.#credit[stream].add(content.readUInt32BE(1))
    } else throw malformed()
  }

  async #run(content: Buffer): Promise<void> {
    const { id, command, args, options } = check(shapes.wireCommand, parsed(content), 'command')
    const wanted = checkExec(command, args, options)
    const signal = this.#gone.signal
    const running = await beginExec(this.#engine, this.#box, id, {
      ...wanted,
      options: { ...wanted.options, signal },
    })
    if (signal.aborted) running.abort()
    this.#running = running
    this.#send(execFrames.begun)
    for (const [type, early] of this.#early.splice(0)) this.#pass(running, type, early)
    const outputs = Promise.all([this.#pump('o', running.stdout), this.#pump('r', running.stderr)])
    outputs.catch(() => {}) // the outcome tells
    const outcome = await running.outcome
    await outputs
    this.#send(execFrames.ended, Buffer.from(JSON.stringify(outcome)))
    this.#socket.end()
  }

  async #pump(stream: 'o' | 'r', output: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of output)
      for (let at = 0; at < bytes.length; ) {
        const length = await this.#credit[stream].take(Math.min(pieceBytes, bytes.length - at))
        if (length === 0) return
        this.#send(stream, bytes.subarray(at, at + length))
        at += length
      }
  }

  #send(type: string, content?: Uint8Array): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(frameOf(type, 1, content))
  }

  #abort(): void {
    this.#gone.abort()
    this.#running?.abort()
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    if (!this.#isLeft) this.#abort()
    this.#send(execFrames.failed, Buffer.from(JSON.stringify(toWire(error))))
    this.#socket.end()
  }
}

/** How much a client still takes of one output. */
class Credit {
  #bytes: number = window
  #isOver = false
  #wake: () => void = () => {}

  add(bytes: number): void {
    this.#bytes += bytes
    this.#wake()
  }

  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** At most so many bytes, once there is credit; 0: the client is gone. */
  async take(wanted: number): Promise<number> {
    while (this.#bytes === 0 && !this.#isOver)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    if (this.#isOver) return 0
    const taken = Math.min(wanted, this.#bytes)
    this.#bytes -= taken
    return taken
  }
}

function parsed(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString('utf8'))
  } catch {
    throw malformed()
  }
}

function malformed(): BoxError {
  return new BoxError('INVALID_ARGUMENT', 'The message to the command makes no sense', {
    details: { field: 'frame' },
  })
}
