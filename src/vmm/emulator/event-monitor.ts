import { closeSync, openSync, writeSync } from 'node:fs'

export interface VmmEvent {
  readonly source: 'vmm' | 'vm' | 'guest'
  readonly event: string
  readonly properties?: Readonly<Record<string, string>>
}

/** Where events go: pretty-printed JSON objects, each followed by an empty line. */
export class EventMonitor {
  private readonly fd: number | undefined
  private readonly losesLast: boolean

  /** Opening a path truncates it; opening a FIFO waits for its reader. `losesLast`: as happens now and then. */
  constructor(target: { readonly path: string } | { readonly fd: number } | undefined, losesLast = false) {
    this.losesLast = losesLast
    if (target === undefined) this.fd = undefined
    else this.fd = 'fd' in target ? target.fd : openSync(target.path, 'w')
  }

  write({ source, event, properties }: VmmEvent): void {
    if (this.fd === undefined || (this.losesLast && LAST_EVENTS.includes(event))) return
    // The timestamp counts from the start of the process, not from the epoch.
    const nanos = process.hrtime.bigint() - STARTED_AT
    const timestamp = { secs: Number(nanos / 1_000_000_000n), nanos: Number(nanos % 1_000_000_000n) }
    const text = JSON.stringify({ timestamp, source, event, properties: properties ?? null }, null, 2)
    this.pour(Buffer.from(`${text}\n\n`))
  }

  /** Bytes as they are. */
  pour(bytes: Buffer): void {
    if (this.fd === undefined) return
    try {
      writeSync(this.fd, bytes)
    } catch (error) {
      // EPIPE, EAGAIN, ENOSPC: the real one loses the event and goes on.
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd)
  }
}

const LAST_EVENTS = ['shutdown', 'deleted']

const STARTED_AT = process.hrtime.bigint() - BigInt(Math.round(process.uptime() * 1e9))
