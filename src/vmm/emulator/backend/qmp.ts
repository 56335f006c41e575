import type { Duplex } from 'node:stream'

export interface QmpEvent {
  readonly event: string
  readonly data?: Readonly<Record<string, unknown>>
}

interface QmpReply {
  readonly id?: number
  readonly return?: unknown
  readonly error?: { readonly class: string; readonly desc: string }
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** QEMU's control channel: JSON lines, commands with answers, events in between. */
export class Qmp {
  private readonly stream: Duplex
  private readonly hear: (event: QmpEvent) => void
  private readonly waiting = new Map<number, Waiting>()
  private text = ''
  private lastId = 0

  constructor(stream: Duplex, hear: (event: QmpEvent) => void) {
    this.stream = stream
    this.hear = hear
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => this.read(chunk))
    stream.on('close', () => this.fail(new Error('QEMU has closed its control channel')))
    // The close that follows is what counts.
    stream.on('error', () => undefined)
  }

  async execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.lastId + 1
    this.lastId = id
    const answer = new Promise<unknown>((resolve, reject) => this.waiting.set(id, { resolve, reject }))
    this.stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    return await answer
  }

  private read(chunk: string): void {
    this.text += chunk
    for (let end = this.text.indexOf('\n'); end >= 0; end = this.text.indexOf('\n')) {
      const line = this.text.slice(0, end)
      this.text = this.text.slice(end + 1)
      if (line.trim() !== '') this.take(JSON.parse(line) as QmpEvent | QmpReply)
    }
  }

  private take(message: QmpEvent | QmpReply): void {
    if ('event' in message) {
      this.hear(message)
      return
    }
    const waiting = message.id === undefined ? undefined : this.waiting.get(message.id)
    // The greeting is neither an event nor an answer.
    if (waiting === undefined || message.id === undefined) return
    this.waiting.delete(message.id)
    if (message.error === undefined) waiting.resolve(message.return)
    else waiting.reject(new Error(message.error.desc))
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error)
    this.waiting.clear()
  }
}
