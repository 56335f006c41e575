import type { IncomingMessage } from 'node:http'
import { BoxError } from '../../machines/index.ts'
import { maxBody, tooLarge } from './wire.ts'

/** The arguments that a request has for its body, told how long they are or not. */
export async function argumentsIn(incoming: IncomingMessage): Promise<readonly unknown[]> {
  if (Number(incoming.headers['content-length'] ?? 0) > maxBody) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > maxBody) throw tooLarge()
      chunks.push(chunk)
    }
    const args: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    if (Array.isArray(args)) return args
  } catch (error) {
    // Cut off, or no JSON.
    if (BoxError.is(error)) throw error
  }
  throw new BoxError('INVALID_ARGUMENT', 'The body must be a JSON array of arguments', {
    details: { field: 'body' },
  })
}
