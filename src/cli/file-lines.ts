import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { BoxError } from '../index.ts'

/** Lines of a file, or of stdin for `-`. What is no UTF-8 is damage: read as text it could be taken for something else. */
export async function* linesIn(file: string, signal: AbortSignal): AsyncGenerator<string> {
  let line = 0
  const text = (bytes: Buffer): string => {
    line += 1
    if (isUtf8(bytes)) return bytes.toString('utf8')
    throw new BoxError('LEDGER_CORRUPT', `Line ${line} of the export: it is no UTF-8`, { details: { line } })
  }
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunksOf(file, signal)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      yield text(bytes.subarray(from, end))
      from = end + 1
    }
    rest = bytes.subarray(from)
  }
  if (rest.length > 0) yield text(rest)
}

async function* chunksOf(file: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const options = { signal, highWaterMark: 1 << 18 }
  const source = file === '-' ? process.stdin : createReadStream(file, options)
  try {
    for await (const chunk of source) {
      signal.throwIfAborted()
      yield chunk as Buffer
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!['ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR'].includes(code ?? '')) throw error
    throw new BoxError('INVALID_ARGUMENT', `${file} cannot be read: ${message}`, {
      details: { field: 'file' },
      cause: error,
    })
  }
}
