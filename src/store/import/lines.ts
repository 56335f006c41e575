import { BoxError, partsOf } from '../../machines/index.ts'
import { closedError } from '../answers.ts'

/** A line of an export, with its number, from 1. */
export interface NumberedLine {
  readonly line: number
  readonly text: string
}

/** Lines of an export, read one after the other, and counted. */
export class Lines {
  readonly #source: AsyncIterator<unknown>
  readonly #signal: AbortSignal
  #line = 0
  readonly #abort = () => this.#giveUp(closedError())
  #giveUp: (reason: unknown) => void = () => {}

  /** `signal`: nobody waits for more of them */
  constructor(lines: AsyncIterable<unknown>, signal: AbortSignal) {
    this.#source = lines[Symbol.asyncIterator]()
    this.#signal = signal
    signal.addEventListener('abort', this.#abort)
  }

  /** how many were read */
  get count(): number {
    return this.#line
  }

  /** Undefined: there are no more. */
  async next(): Promise<NumberedLine | undefined> {
    if (this.#signal.aborted) throw closedError()
    const { done, value } = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
      this.#giveUp = reject
      this.#source.next().then(resolve, reject)
    })
    if (done === true) return undefined
    this.#line += 1
    if (typeof value !== 'string')
      throw new BoxError('INVALID_ARGUMENT', `lines must give texts, not ${typeof value}`, {
        details: { field: 'lines', line: this.#line },
      })
    return { line: this.#line, text: value.endsWith('\n') ? value.slice(0, -1) : value }
  }

  /** Nobody wants the rest, and nobody waits for what that comes to. */
  leave(): void {
    this.#signal.removeEventListener('abort', this.#abort)
    this.#source.return?.().then(undefined, () => {})
  }
}

export interface Place {
  readonly position?: number
  /** the stream */
  readonly box?: string | undefined
}

/** An error that names the line, and what it was to be of. */
export function badLine(line: number, message: string, { position, box }: Place = {}): BoxError {
  return new BoxError('LEDGER_CORRUPT', `Line ${line} of the export: ${message}`, {
    details: {
      line,
      ...(position === undefined ? {} : { position }),
      ...(box === undefined ? {} : partsOf(box)),
    },
  })
}
