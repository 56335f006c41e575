import { ParseError } from './parse-error.ts'

const METHODS = ['GET', 'PUT', 'PATCH']
const VERSIONS = ['HTTP/1.0', 'HTTP/1.1']
const SCHEME = 'http://'

export function readRequestLine(line: Buffer): { method: string; path: string } {
  const methodEnd = line.indexOf(' ')
  const uriEnd = methodEnd < 0 ? -1 : line.indexOf(' ', methodEnd + 1)
  if (uriEnd < 0) throw new ParseError('Invalid request.')
  const method = line.toString('latin1', 0, methodEnd)
  if (!METHODS.includes(method)) throw new ParseError('Invalid HTTP Method: Unsupported HTTP method.')
  const uri = line.subarray(methodEnd + 1, uriEnd)
  if (uri.length === 0) throw new ParseError('Invalid URI: Empty URI not allowed.')
  const text = uri.toString('utf8')
  if (!Buffer.from(text).equals(uri)) throw new ParseError('Invalid URI: Cannot parse URI as UTF-8.')
  const version = line.toString('latin1', uriEnd + 1)
  if (!VERSIONS.includes(version)) throw new ParseError('Invalid HTTP Version: Unsupported HTTP version.')
  return { method, path: takePath(text) }
}

/** The path of an origin-form or absolute-form target; empty, and so unknown, for anything else. */
function takePath(uri: string): string {
  if (uri.startsWith('/')) return uri
  if (!uri.startsWith(SCHEME)) return ''
  const rest = uri.slice(SCHEME.length)
  const slash = rest.indexOf('/')
  return slash < 0 ? '' : rest.slice(slash)
}
