/** An answer of the API. A body of `undefined` with 204 sends no content headers at all. */
export interface Response {
  readonly status: number
  readonly body: string | undefined
  /** Called once the answer is on its way, or cannot be. */
  readonly sent?: () => void
}

const API = 'Cloud Hypervisor API'
const PARSER = 'Firecracker API'

/** No reason phrase, and `keep-alive` whatever the client asked for: byte for byte as the real one. */
export function formatResponse({ status, body }: Response): Buffer {
  return format(status, API, status === 204 ? undefined : (body ?? ''))
}

/** The raw line feed inside the string, which makes it invalid JSON, is the real one's. */
export function formatParseError(message: string): Buffer {
  const body = `{ "error": "${message}\nAll previous unanswered requests will be dropped." }`
  return format(400, PARSER, body)
}

export const CONTINUE = format(100, PARSER, undefined)

export const TOO_MANY_CONNECTIONS = Buffer.from(
  'HTTP/1.1 503\r\nServer: Firecracker API\r\nConnection: close\r\nContent-Length: 40\r\n\r\n' +
    '{ "error": "Too many open connections" }',
)

function format(status: number, server: string, body: string | undefined): Buffer {
  const head = `HTTP/1.1 ${status} \r\nServer: ${server}\r\nConnection: keep-alive\r\n`
  if (body === undefined) return Buffer.from(`${head}\r\n`)
  const length = Buffer.byteLength(body)
  return Buffer.from(`${head}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`)
}
