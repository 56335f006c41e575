import { type HeaderFacts, readHeaderLine } from './header-line.ts'
import { ParseError } from './parse-error.ts'
import { readRequestLine } from './request-line.ts'

export interface Request {
  readonly method: string
  readonly path: string
  readonly body: Buffer
}

export type Parsed =
  | { readonly type: 'request'; readonly request: Request }
  | { readonly type: 'continue' }
  | { readonly type: 'error'; readonly message: string }

const WINDOW_BYTES = 1024
const BODY_LIMIT_BYTES = 51_200
const CRLF = Buffer.from('\r\n')

interface Pending {
  readonly method: string
  readonly path: string
  readonly headers: HeaderFacts
}

/**
 * The request parser of the real one, quirks included: it looks at the stream through a window of 1,024 bytes. A
 * mistake drops the rest of the window but neither the state nor the piece of a line kept from earlier windows, so a
 * bad header leaves the connection waiting for more headers, and an endless line is answered with one 400 per
 * refill of the window.
 */
export class RequestParser {
  private readonly window = Buffer.alloc(WINDOW_BYTES)
  private kept = 0
  private state: 'request-line' | 'headers' | 'body' = 'request-line'
  private pending: Pending | undefined
  private body: Buffer[] = []
  private bodyLeft = 0

  /** What `bytes` add up to. A mistake discards the requests of the same window that went before it. */
  feed(bytes: Buffer): Parsed[] {
    const parsed: Parsed[] = []
    let offset = 0
    while (offset < bytes.length) {
      const taken = Math.min(WINDOW_BYTES - this.kept, bytes.length - offset)
      bytes.copy(this.window, this.kept, offset, offset + taken)
      offset += taken
      const inWindow: Parsed[] = []
      try {
        this.parseWindow(this.kept + taken, inWindow)
        parsed.push(...inWindow)
      } catch (error) {
        if (!(error instanceof ParseError)) throw error
        parsed.push(...inWindow.filter(each => each.type === 'continue'))
        parsed.push({ type: 'error', message: error.message })
      }
    }
    return parsed
  }

  private parseWindow(end: number, out: Parsed[]): void {
    let start = 0
    for (;;) {
      if (this.state === 'body') {
        const taken = Math.min(this.bodyLeft, end - start)
        this.body.push(Buffer.from(this.window.subarray(start, start + taken)))
        this.bodyLeft -= taken
        start += taken
        if (this.bodyLeft > 0) {
          this.kept = 0
          return
        }
        this.finish(out)
        continue
      }
      const lineEnd = this.window.subarray(start, end).indexOf(CRLF)
      if (lineEnd < 0) {
        this.keepRest(start, end)
        return
      }
      const line = this.window.subarray(start, start + lineEnd)
      if (this.state === 'request-line') {
        start += lineEnd + CRLF.length
        const { method, path } = readRequestLine(line)
        this.pending = { method, path, headers: { contentLength: 0, expectContinue: false } }
        this.state = 'headers'
      } else if (lineEnd > 0) {
        readHeaderLine(line, this.headers)
        start += lineEnd + CRLF.length
      } else {
        this.endHeaders(out)
        start += CRLF.length
      }
    }
  }

  private get headers(): HeaderFacts {
    if (this.pending === undefined) throw new ParseError('Invalid request.')
    return this.pending.headers
  }

  private endHeaders(out: Parsed[]): void {
    const { contentLength, expectContinue } = this.headers
    if (contentLength === 0) {
      this.finish(out)
      return
    }
    if (expectContinue) out.push({ type: 'continue' })
    if (contentLength > BODY_LIMIT_BYTES) {
      throw new ParseError(
        `Request payload with size ${contentLength} is larger than the limit of ${BODY_LIMIT_BYTES} allowed by server.`,
      )
    }
    this.bodyLeft = contentLength
    this.state = 'body'
  }

  private finish(out: Parsed[]): void {
    const pending = this.pending
    if (pending !== undefined) {
      const { method, path } = pending
      out.push({ type: 'request', request: { method, path, body: Buffer.concat(this.body) } })
    }
    this.pending = undefined
    this.body = []
    this.bodyLeft = 0
    this.state = 'request-line'
  }

  private keepRest(start: number, end: number): void {
    if (start === 0 && end === WINDOW_BYTES) {
      if (this.state === 'request-line') throw new ParseError('Invalid request.')
      const line = this.window.toString('utf8')
      throw new ParseError(`Invalid header. Reason: Invalid content length. Header: ${line}`)
    }
    this.window.copyWithin(0, start, end)
    this.kept = end - start
  }
}
