import type { Program } from '../../src/vmm/guest/program.ts'
import { eventually } from './eventually.ts'

/** Somebody at a terminal. */
export class Typist {
  readonly #program: Program
  seen = ''

  constructor(program: Program) {
    this.#program = program
    this.#read().catch(() => {}) // its end tells
  }

  type(text: string): void {
    this.#program.stdin.write(text)
  }

  resize(columns: number, rows: number): void {
    this.#program.resize(columns, rows)
  }

  sees(text: string | RegExp): Promise<unknown> {
    return eventually(() => (typeof text === 'string' ? this.seen.includes(text) : text.test(this.seen)))
  }

  async end(): Promise<number> {
    return (await this.#program.ended).exitCode
  }

  async #read(): Promise<void> {
    for await (const bytes of this.#program.stdout) this.seen += Buffer.from(bytes).toString('latin1')
  }
}
