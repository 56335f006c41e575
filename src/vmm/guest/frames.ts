/** What goes over a channel, see `images/agent-protocol.ts`. */
export interface Frame {
  readonly type: string
  /** number of the execution; 0: the session itself */
  readonly id: number
  readonly content: Buffer
}

const headBytes = 9

/** Longest frame that an agent sends, in `bytes`. */
const longestReply = 64 << 10

export function frameOf(type: string, id: number, content: Uint8Array = none): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + content.length)
  frame.write(type, 0, 1, 'latin1')
  frame.writeUInt32BE(id, 1)
  frame.writeUInt32BE(content.length, 5)
  frame.set(content, headBytes)
  return frame
}

const none = new Uint8Array(0)

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  readonly #longest: number
  #rest: Buffer = Buffer.alloc(0)

  /** @param longest of a frame's content, in `bytes`; default what an agent sends */
  constructor(longest = longestReply) {
    this.#longest = longest
  }

  /** Frames that are whole now. Throws where the bytes are not ours: a guest can send anything. */
  read(bytes: Buffer): Frame[] {
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const frames: Frame[] = []
    while (rest.length >= headBytes) {
      const length = rest.readUInt32BE(5)
      if (length > this.#longest) throw new Error(`A frame of ${length} bytes came`)
      const end = headBytes + length
      if (rest.length < end) break
      const content = rest.subarray(headBytes, end)
      frames.push({ type: rest.toString('latin1', 0, 1), id: rest.readUInt32BE(1), content })
      rest = rest.subarray(end)
    }
    this.#rest = rest
    return frames
  }
}
