import { Duplex } from 'node:stream'

/** The port, and the version, of the agent that runs in guests. */
export const AGENT_PORT = 1024
const AGENT_VERSION = '1'

const NOBODY = 'boxledger-vmm: no guest'

const HEAD_BYTES = 9

/** Stands in for the agent of a guest that there is not: it says that it is there, and has nothing to run commands on. */
export class FakeAgent extends Duplex {
  private rest = Buffer.alloc(0)

  constructor() {
    super()
    this.say('h', 0, AGENT_VERSION)
  }

  override _read(): void {}

  override _write(bytes: Buffer, _: unknown, done: () => void): void {
    this.rest = Buffer.concat([this.rest, bytes])
    while (this.rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.rest.readUInt32BE(5)
      if (this.rest.length < end) break
      const type = this.rest.toString('latin1', 0, 1)
      if (type === 'x') this.refuse(this.rest.readUInt32BE(1))
      if (type === 'b') this.say('b', 0, NOBODY)
      this.rest = this.rest.subarray(end)
    }
    done()
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  private refuse(command: number): void {
    this.say('r', command, `${NOBODY}\n`)
    this.say('x', command, Buffer.from([126, 0]))
  }

  private say(type: string, command: number, content: string | Buffer): void {
    const bytes = Buffer.from(content)
    const head = Buffer.alloc(HEAD_BYTES)
    head.write(type, 0, 'latin1')
    head.writeUInt32BE(command, 1)
    head.writeUInt32BE(bytes.length, 5)
    this.push(Buffer.concat([head, bytes]))
  }
}
