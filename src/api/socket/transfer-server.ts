import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Engine } from '../../engine/index.ts'
import { BoxError } from '../../machines/index.ts'
import { exportPages } from '../embedded/transfer.ts'
import { check, shapes } from '../options.ts'
import type { ExportOptions } from '../transfer.ts'
import type { Served } from './calls.ts'
import { serveExec } from './exec-server.ts'
import { importPath, importProtocol } from './transfer-wire.ts'
import { maxBody, toWire } from './wire.ts'

/** Takes connections over that are to carry an import or a command; closes others. */
export function serveConnection(
  engine: Engine,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  if (request.url !== `/v1${importPath}` || request.headers.upgrade !== importProtocol) {
    serveExec(engine, request, socket, head)
    return
  }
  socket.on('error', () => {}) // the client is gone, which its close tells
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${importProtocol}\r\n\r\n`,
  )
  if (head.length > 0) socket.unshift(head)
  engine
    .import(linesFrom(socket))
    .then(
      value => ({ value }),
      error => ({ error: toWire(error) }),
    )
    .then(answer => {
      socket.end(`${JSON.stringify(answer)}\n`)
      // What the client still sends would else keep it from reading that.
      socket.resume()
    })
}

async function* linesFrom(socket: Duplex): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer])
    let from = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield textIn(bytes.subarray(from, end))
      from = end + 1
    }
    rest = bytes.subarray(from)
    if (rest.length > 4 * maxBody) throw malformed()
  }
}

/** What is no text is told by who reads it. */
function textIn(line: Buffer): string {
  let text: unknown
  try {
    text = JSON.parse(line.toString('utf8'))
  } catch {
    throw malformed()
  }
  if (typeof text === 'object' && text !== null) throw new BoxError('ABORTED', 'The client has given up')
  return text as string
}

function malformed(): BoxError {
  return new BoxError('INVALID_ARGUMENT', 'The lines of an import make no sense', {
    details: { field: 'lines' },
  })
}

/** Where an export goes on that was cut off: its end, and how many lines the client has. */
interface Mark {
  readonly position: number
  readonly hash: string
  readonly lines: number
}

/** An export for a client, page by page, whose owner may end at any time. */
export async function* servedExport(
  { engine, lookUp }: Served,
  o: unknown,
  mark: unknown,
): AsyncGenerator<string[], void, undefined> {
  const goesOn =
    mark === null || mark === undefined ? undefined : (check(shapes.exportMark, mark, 'mark') as Mark)
  let left = goesOn?.lines ?? 0
  for await (const page of exportPages(engine, lookUp, (o ?? {}) as ExportOptions, goesOn)) {
    if (left < page.length) yield page.slice(left)
    left = Math.max(0, left - page.length)
  }
}
