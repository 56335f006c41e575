import { ParseError } from './parse-error.ts'

/** The two headers that change how a request is read. */
export interface HeaderFacts {
  contentLength: number
  expectContinue: boolean
}

const U32_MAX = 4_294_967_295

/** Reads one header line into `facts`. Unknown headers and most odd values are ignored, as the real one does. */
export function readHeaderLine(line: Buffer, facts: HeaderFacts): void {
  const text = line.toString('utf8')
  const bad = firstInvalidByte(line, text)
  if (bad !== undefined) {
    const reason = `invalid utf-8 sequence of 1 bytes from index ${bad}`
    throw new ParseError(`Invalid header. Reason: Header contains invalid characters. Key: ${reason}`)
  }
  const colon = text.indexOf(':')
  if (colon < 0) {
    throw new ParseError(`Invalid header. Reason: Header is incorrectly formatted. Key: ${text}`)
  }
  const value = text.slice(colon + 1)
  switch (text.slice(0, colon).trim().toLowerCase()) {
    case 'content-length': {
      const length = /^\s*\+?[0-9]+\s*$/.test(value) ? Number(value) : Number.NaN
      if (!(length <= U32_MAX)) throw badValue('Content-Length', value)
      facts.contentLength = length
      break
    }
    case 'expect':
      if (value.trim() === '100-continue') facts.expectContinue = true
      break
    case 'accept-encoding':
      checkAcceptEncoding(value.trim())
      break
  }
}

function checkAcceptEncoding(value: string): void {
  if (value === '') throw new ParseError('Invalid request.')
  for (const coding of value.split(',').map(each => each.trim())) {
    const refused = coding === 'identity;q=0' || (coding === '*;q=0' && !value.includes('identity'))
    if (refused) throw badValue('Accept-Encoding', coding)
  }
}

function badValue(key: string, value: string): ParseError {
  return new ParseError(`Invalid header. Reason: Invalid value. Key:${key}; Value:${value}`)
}

function firstInvalidByte(line: Buffer, text: string): number | undefined {
  if (!text.includes('\ufffd') || Buffer.from(text).equals(line)) return undefined
  const reencoded = Buffer.from(text)
  return line.findIndex((byte, index) => byte !== reencoded[index])
}
