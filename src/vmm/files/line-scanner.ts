/** A line is cut after so many characters: a guest may print without ever ending one. */
const longestLine = 4096

/**
 * Splits what a guest prints into lines, with bounded memory. The unfinished last line counts too, since a prompt has
 * no end.
 */
export class LineScanner {
  #line = ''
  readonly #decoder = new TextDecoder('utf-8')

  /** The lines that these bytes end, and last the one that is not ended yet. */
  push(bytes: Uint8Array): { readonly ended: string[]; readonly open: string } {
    const parts = (this.#line + this.#decoder.decode(bytes, { stream: true })).split('\n')
    const open = parts.pop() ?? ''
    this.#line = open.slice(-longestLine)
    return { ended: parts.map(line => line.slice(-longestLine)), open: this.#line }
  }

  /** Forgets the unfinished line. */
  reset(): void {
    this.#line = ''
    this.#decoder.decode()
  }
}
