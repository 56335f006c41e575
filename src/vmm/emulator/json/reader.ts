/** What is wrong with a JSON text. `at` is missing until the place in the text is known. */
export class JsonError extends Error {
  readonly at: string | undefined

  constructor(message: string, at?: string) {
    super(at === undefined ? message : `${message} ${at}`)
    this.at = at
  }
}

const byteOf = (character: string): number => character.charCodeAt(0)

const QUOTE = byteOf('"')
const BACKSLASH = byteOf('\\')
const MINUS = byteOf('-')
const ZERO = byteOf('0')
const NINE = byteOf('9')

/**
 * Reads JSON byte by byte, so that errors can be told in the words and with the columns of the JSON library of
 * the real VMM: drivers match on those texts.
 */
export class JsonReader {
  private readonly bytes: Buffer
  private index = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** An error at what was read last. */
  error(message: string): JsonError {
    return new JsonError(message, this.place(this.index))
  }

  /** An error at the byte that comes next. */
  errorAhead(message: string): JsonError {
    return new JsonError(message, this.place(Math.min(this.index + 1, this.bytes.length)))
  }

  /** The next byte that is not white space, as text; not consumed. */
  peek(): string | undefined {
    let byte = this.bytes[this.index]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.index += 1
      byte = this.bytes[this.index]
    }
    return byte === undefined ? undefined : String.fromCharCode(byte)
  }

  skip(): void {
    this.index += 1
  }

  end(): void {
    if (this.peek() !== undefined) throw this.errorAhead('trailing characters')
  }

  readWord(word: string): void {
    this.skip()
    for (const character of word.slice(1)) {
      const byte = this.bytes[this.index]
      if (byte === undefined) throw this.error('EOF while parsing a value')
      this.index += 1
      if (byte !== byteOf(character)) throw this.error('expected ident')
    }
  }

  /** The text of a number, as written. */
  readNumber(): string {
    const start = this.index
    if (this.bytes[this.index] === MINUS) this.index += 1
    const first = this.bytes[this.index]
    if (first === undefined) throw this.error('EOF while parsing a value')
    this.index += 1
    if (!isDigit(first)) throw this.error('invalid number')
    if (first === ZERO && isDigit(this.bytes[this.index])) throw this.errorAhead('invalid number')
    this.skipDigits()
    if (this.bytes[this.index] === byteOf('.')) {
      this.index += 1
      this.needDigits()
    }
    const exponent = this.bytes[this.index]
    if (exponent === byteOf('e') || exponent === byteOf('E')) {
      this.index += 1
      const sign = this.bytes[this.index]
      if (sign === MINUS || sign === byteOf('+')) this.index += 1
      this.needDigits()
    }
    return this.bytes.toString('latin1', start, this.index)
  }

  readString(): string {
    this.skip()
    const start = this.index
    for (;;) {
      const byte = this.bytes[this.index]
      if (byte === undefined) throw this.error('EOF while parsing a string')
      if (byte === QUOTE) break
      if (byte === BACKSLASH) this.skipEscape()
      else if (byte < 0x20) {
        throw this.error('control character (\\u0000-\\u001F) found while parsing a string')
      } else this.index += 1
    }
    const text = this.bytes.toString('utf8', start, this.index)
    this.index += 1
    return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
  }

  private skipEscape(): void {
    const kind = this.bytes[this.index + 1]
    if (kind === undefined) {
      this.index += 1
      throw this.error('EOF while parsing a string')
    }
    this.index += 2
    if (!'"\\/bfnrtu'.includes(String.fromCharCode(kind))) throw this.error('invalid escape')
    if (kind !== byteOf('u')) return
    const digits = this.bytes.toString('latin1', this.index, this.index + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.error('invalid escape')
    this.index += 4
  }

  private needDigits(): void {
    if (!isDigit(this.bytes[this.index])) throw this.errorAhead('invalid number')
    this.skipDigits()
  }

  private skipDigits(): void {
    while (isDigit(this.bytes[this.index])) this.index += 1
  }

  private place(index: number): string {
    const before = this.bytes.subarray(0, index)
    const line = before.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 1)
    return `at line ${line} column ${index - (before.lastIndexOf(0x0a) + 1)}`
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}
