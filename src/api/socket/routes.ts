import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { BoxError, quoted } from '../../machines/index.ts'
import { EmbeddedBox } from '../embedded/box.ts'
import { engineName } from '../version.ts'
import { boxCalls, calls, type Served, waits } from './calls.ts'
import { ndjson } from './ndjson.ts'
import { boxStreams, type Lines, streams } from './streams.ts'
import { type OwnerInfo, statusOf, toWire } from './wire.ts'

interface Environment {
  readonly Bindings: HttpBindings
}

export type Routes = Hono<Environment>

/** Largest request, in `bytes`: a spec with its environment has room. */
const maxBody = 1024 * 1024

/** What of an unknown verb is given back, in `characters`. */
const longestRepeated = 256

/** The owner's HTTP interface; `underway` is told of each call that a closing owner should finish. */
export function routesOf(served: Served, underway: (call: Promise<unknown>) => void): Routes {
  const app: Routes = new Hono<Environment>()
  const { engine } = served

  const answer = async (
    c: Context<Environment>,
    verb: string,
    call: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    try {
      const work = call(left(c).signal)
      if (!waits.has(verb)) underway(work)
      return c.json({ value: await work })
    } catch (error) {
      const wire = toWire(error)
      return c.json({ error: wire }, statusOf(wire.code) as 500)
    }
  }
  const stream = (c: Context<Environment>, lines: (signal: AbortSignal) => Lines) => {
    const gone = left(c)
    return ndjson(lines(gone.signal), { leave: () => gone.abort(), cutOff: () => c.env.outgoing.destroy() })
  }

  app.use(
    bodyLimit({
      maxSize: maxBody,
      onError: () => {
        throw new BoxError('INVALID_ARGUMENT', `The request is larger than ${maxBody} bytes`, {
          details: { field: 'body' },
        })
      },
    }),
  )
  app.onError((error, c) => {
    const wire = toWire(error)
    return c.json({ error: wire }, statusOf(wire.code) as 500)
  })
  app.notFound(c => {
    throw unknown(c.req.path)
  })

  app.get('/v1/owner', c => {
    const owner: OwnerInfo = { pid: process.pid, engine: engineName, home: engine.home }
    return c.json({ value: owner })
  })
  app.post('/v1/call/:verb', async c => {
    const verb = c.req.param('verb')
    const call = entry(calls, verb)
    const args = await argumentsOf(c)
    return answer(c, verb, signal => call(served, args, signal))
  })
  app.post('/v1/box/:id/call/:verb', async c => {
    const verb = c.req.param('verb')
    const call = entry(boxCalls, verb)
    const args = await argumentsOf(c)
    const box = new EmbeddedBox(engine, c.req.param('id'))
    return answer(c, verb, signal => call(box, served, args, signal))
  })
  app.post('/v1/stream/:name', async c => {
    const begin = entry(streams, c.req.param('name'))
    const args = await argumentsOf(c)
    return stream(c, signal => begin(served, args, signal))
  })
  app.post('/v1/box/:id/stream/:name', async c => {
    const begin = entry(boxStreams, c.req.param('name'))
    const args = await argumentsOf(c)
    const box = new EmbeddedBox(engine, c.req.param('id'))
    return stream(c, signal => begin(box, served, args, signal))
  })
  return app
}

function entry<T>(table: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found === undefined) throw unknown(name)
  return found
}

function unknown(what: string): BoxError {
  return new BoxError('UNSUPPORTED', `The owner, ${engineName}, does not know ${quoted(what)}`, {
    details: { what: what.slice(0, longestRepeated) },
  })
}

async function argumentsOf(c: Context<Environment>): Promise<readonly unknown[]> {
  const args: unknown = await c.req.json().catch(() => undefined)
  if (Array.isArray(args)) return args
  throw new BoxError('INVALID_ARGUMENT', 'The body must be a JSON array of arguments', {
    details: { field: 'body' },
  })
}

/** Fires when the client is gone. */
function left({ env: { outgoing } }: Context<Environment>): AbortController {
  const gone = new AbortController()
  if (outgoing.destroyed) gone.abort()
  outgoing.once('close', () => gone.abort())
  return gone
}
