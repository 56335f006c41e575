import { constants } from 'node:os'
import { Writable } from 'node:stream'
import { window } from '../images/agent-protocol.ts'
import { frameOf } from './frames.ts'
import { Output } from './output.ts'

/** A program to be run in a guest. */
export interface ProgramSpec {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workdir: string
  /** `NAME` or `UID`, with `:GROUP` or `:GID` if another group is wanted; empty: the agent's own, root in a guest */
  readonly user: string
  /** size of the terminal that it gets; absent: none */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

export interface ProgramEnd {
  /** 128 and the signal's number where a signal ended it */
  readonly exitCode: number
  readonly signal?: string
}

const names = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** Longest piece of input that is sent at once, in `bytes`. */
const pieceBytes = 32 << 10

/** A program that runs in a guest. */
export class Program {
  readonly stdout: Output
  /** empty where there is a terminal: that has one output */
  readonly stderr: Output
  readonly stdin: Writable
  /** number of its process in the guest; rejects if it ends without */
  readonly started: Promise<number>
  /** rejects if it is not known how it ended, because the guest is gone */
  readonly ended: Promise<ProgramEnd>
  readonly #send: (type: string, content?: Uint8Array) => void
  #credit = window
  #onCredit: (() => void) | undefined
  #start!: (pid: number) => void
  #startNot!: (error: Error) => void
  #end!: (end: ProgramEnd) => void
  #fail!: (error: Error) => void
  #isOver = false

  constructor(id: number, send: (frame: Buffer) => void) {
    this.#send = (type, content) => {
      if (!this.#isOver) send(frameOf(type, id, content))
    }
    this.stdout = new Output(bytes => this.#take('o', bytes))
    this.stderr = new Output(bytes => this.#take('r', bytes))
    this.stdin = new Writable({
      highWaterMark: pieceBytes,
      write: (bytes: Buffer, _, done) => this.#write(bytes, done),
      final: done => {
        this.#send('e')
        done()
      },
    })
    this.stdin.on('error', () => {}) // a program that has ended reads no more: not an error of the caller
    this.started = new Promise((resolve, reject) => {
      this.#start = resolve
      this.#startNot = reject
    })
    this.started.catch(() => {}) // told to whoever asks, as the next one
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.ended.catch(() => {})
  }

  /** Signals its process group. @param signal a name, as `SIGTERM` */
  kill(signal: string): void {
    this.#send('k', Buffer.from(signal.replace(/^SIG/, '')))
  }

  /** Kills it and all that it has started, at once. */
  destroy(): void {
    this.#send('d')
  }

  resize(columns: number, rows: number): void {
    this.#send('w', Buffer.from(`${columns} ${rows}`))
  }

  /** What the guest says of it. Throws where that makes no sense. */
  hear(type: string, content: Buffer): void {
    if (type === 'o') this.stdout.push(content)
    else if (type === 'r') this.stderr.push(content)
    else if (type === 's') this.#start(Number(content.toString('latin1')))
    else if (type === 'c') this.#refill(content.readUInt32BE(0))
    else if (type === 'x') {
      const [code = 0, number = 0] = content
      this.#finish(new Error('The program could not be started'))
      this.#end(
        number === 0
          ? { exitCode: code }
          : { exitCode: 128 + number, signal: names.get(number) ?? `SIG${number}` },
      )
    }
  }

  /** Nothing more is heard of it. */
  lose(error: Error): void {
    this.stdout.end(error)
    this.stderr.end(error)
    this.#finish(error)
    this.#fail(error)
  }

  #finish(error: Error): void {
    this.#isOver = true
    this.#startNot(error)
    this.stdout.end()
    this.stderr.end()
    this.#onCredit?.()
    this.stdin.destroy()
  }

  #write(bytes: Buffer, done: (error?: Error) => void): void {
    let at = 0
    const goOn = (): void => {
      while (at < bytes.length && this.#credit > 0 && !this.#isOver) {
        const piece = bytes.subarray(at, at + Math.min(pieceBytes, this.#credit))
        at += piece.length
        this.#credit -= piece.length
        this.#send('i', piece)
      }
      if (at < bytes.length && !this.#isOver) this.#onCredit = goOn
      else {
        this.#onCredit = undefined
        done()
      }
    }
    goOn()
  }

  #refill(bytes: number): void {
    this.#credit = Math.min(window, this.#credit + bytes)
    this.#onCredit?.()
  }

  #take(stream: 'o' | 'r', bytes: number): void {
    const content = Buffer.alloc(5, stream)
    content.writeUInt32BE(bytes, 1)
    this.#send('c', content)
  }
}
