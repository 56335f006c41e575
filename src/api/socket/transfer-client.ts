import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { BoxError } from '../../machines/index.ts'
import type { ImportReport } from '../../store/index.ts'
import { check, shapes } from '../options.ts'
import { checkLines, type ExportOptions } from '../transfer.ts'
import { wordOf } from './arguments.ts'
import { noOwner, type OwnerClient } from './client.ts'
import { importPath, importProtocol } from './transfer-wire.ts'
import { type Answer, fromWire } from './wire.ts'

/** How much is sent at once, in `characters`. */
const pieceLength = 64 << 10

/** An export through the owner, as pages of lines; the next owner goes on with it where it was cut off. */
export async function* remoteExport(
  client: OwnerClient,
  o: ExportOptions,
): AsyncGenerator<string[], void, undefined> {
  const { box } = check(shapes.export, o, 'options')
  const options = box === undefined ? {} : { box: wordOf(box) }
  let mark: { position: number; hash: string; lines: number } | null = null
  for await (const page of client.stream<string[]>('/stream/export', () => [options, mark])) {
    if (mark === null) {
      const { position, hash } = JSON.parse(page[0] ?? '{}') as { position: number; hash: string }
      mark = { position, hash, lines: 0 }
    }
    mark.lines += page.length
    yield page
  }
}

/** Has the owner import lines, which are read no faster than it takes them. It is done once, or not at all. */
export async function remoteImport(client: OwnerClient, lines: AsyncIterable<string>): Promise<ImportReport> {
  checkLines(lines)
  const socket = await client.upgrade(importPath, importProtocol)
  const answer = answerOn(socket)
  let isAnswered = false
  const answered = answer.then(
    () => {
      isAnswered = true
    },
    () => {
      isAnswered = true
    },
  )
  try {
    let piece = ''
    const send = async () => {
      const text = piece
      piece = ''
      if (!socket.write(text)) await Promise.race([once(socket, 'drain').catch(() => {}), answered])
    }
    try {
      for await (const line of lines) {
        piece += `${JSON.stringify(line) ?? null}\n`
        if (piece.length >= pieceLength) await send()
        if (isAnswered) break
      }
    } catch (error) {
      // What it has taken so far is thrown away before anything else is asked of it.
      socket.end('{}\n')
      await answered
      throw error
    }
    if (!isAnswered) socket.end(piece)
    const { value, error } = await answer
    if (error !== undefined) throw fromWire(error)
    return value as ImportReport
  } finally {
    socket.destroy()
  }
}

async function answerOn(socket: Socket): Promise<Answer> {
  let text = ''
  socket.setEncoding('utf8')
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.endsWith('\n')) break
    }
    const answer = JSON.parse(text) as Answer
    // An owner that closes has thrown away what it had.
    if (answer.error?.code !== 'ENGINE_CLOSED') return answer
  } catch (cause) {
    throw lost(cause)
  }
  throw lost()
}

function lost(cause?: unknown): BoxError {
  return noOwner('The owner of the home ended before the import was done', cause)
}
