import { BoxError } from '../../machines/index.ts'
import type { Lines } from './streams.ts'
import { toWire } from './wire.ts'

const encoder = new TextEncoder()

/**
 * A value a line. The next one is only made when the socket has room for it, so that a client who does not read costs
 * no more than the line it does not read. `cutOff` ends the connection without an end of the stream.
 */
export function ndjson(lines: Lines, { leave, cutOff }: { leave(): void; cutOff(): void }): Response {
  const line = (value: unknown) => encoder.encode(`${JSON.stringify(value)}\n`)
  let isLeft = false
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await lines.next()
          if (done) controller.close()
          else controller.enqueue(line(value))
        } catch (error) {
          if (isLeft) return
          // The owner is ending, not the stream: it goes on at the next one.
          if (BoxError.is(error, 'ENGINE_CLOSED')) return cutOff()
          controller.enqueue(line({ error: toWire(error) }))
          controller.close()
        }
      },
      cancel() {
        isLeft = true
        leave()
        lines.return().catch(() => {
          // Whatever it was about to say, nobody is there to hear it.
        })
      },
    },
    { highWaterMark: 0 },
  )
  // Said in advance, so that the head goes out before there is a line.
  return new Response(body, {
    headers: { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' },
  })
}
