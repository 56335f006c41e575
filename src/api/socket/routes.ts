import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { closedError, unlessAborted } from '../../engine/index.ts'
import { BoxError, type Head, quoted } from '../../machines/index.ts'
import { EmbeddedBox } from '../embedded/box.ts'
import { engineName } from '../version.ts'
import { argumentsIn } from './body.ts'
import { boxCalls, calls, type Done, type Served } from './calls.ts'
import { headOf } from './head.ts'
import { ndjson } from './ndjson.ts'
import { boxStreams, type Lines, streams } from './streams.ts'
import { type Answer, type OwnerInfo, statusOf, toWire } from './wire.ts'

interface Environment {
  readonly Bindings: HttpBindings
}

export type Routes = Hono<Environment>

/** What of an unknown verb is given back, in `characters`. */
const longestRepeated = 256

export interface RoutesOptions {
  readonly served: Served
  /** told of each call that a closing owner should finish */
  readonly underway: (call: Promise<unknown>) => void
  /** fires when it has had its time for that: what is left is for the next owner */
  readonly closing: AbortSignal
}

/** The owner's HTTP interface. */
export function routesOf({ served, underway, closing }: RoutesOptions): Routes {
  const app: Routes = new Hono<Environment>()
  const { engine } = served

  /** Also of a command that is refused: its box may have changed. */
  const answerOf = async (box: string | undefined, work: Promise<Done>): Promise<Answer> => {
    const headNow = (id: string | undefined): Promise<Head | undefined> =>
      id === undefined ? Promise.resolve(undefined) : headOf(engine, id).catch(() => undefined)
    try {
      const done = await unlessAborted(work, closing)
      const head = await headNow(done.box)
      return { value: done.value, ...(head && { head }) }
    } catch (error) {
      const head = await headNow(box)
      return { error: toWire(closing.aborted ? closedError() : error), ...(head && { head }) }
    }
  }
  const answer = async (
    c: Context<Environment>,
    call: (signal: AbortSignal) => Promise<Done>,
    box?: string,
  ) => {
    const answering = answerOf(box, call(left(c).signal))
    underway(answering)
    const told = await answering
    return c.json(told, told.error === undefined ? 200 : (statusOf(told.error.code) as 500))
  }
  const stream = (c: Context<Environment>, lines: (signal: AbortSignal) => Lines) => {
    const gone = left(c)
    return ndjson(lines(gone.signal), { leave: () => gone.abort(), cutOff: () => c.env.outgoing.destroy() })
  }

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
    const call = entry(calls, c.req.param('verb'))
    const args = await argumentsIn(c.env.incoming)
    return answer(c, signal => call(served, args, signal))
  })
  app.post('/v1/box/:id/call/:verb', async c => {
    const call = entry(boxCalls, c.req.param('verb'))
    const args = await argumentsIn(c.env.incoming)
    const box = new EmbeddedBox(engine, c.req.param('id'))
    const work = async (signal: AbortSignal) => ({
      value: await call(box, served, args, signal),
      box: box.id,
    })
    return answer(c, work, box.id)
  })
  app.post('/v1/stream/:name', async c => {
    const begin = entry(streams, c.req.param('name'))
    const args = await argumentsIn(c.env.incoming)
    return stream(c, signal => begin(served, args, signal))
  })
  app.post('/v1/box/:id/stream/:name', async c => {
    const begin = entry(boxStreams, c.req.param('name'))
    const args = await argumentsIn(c.env.incoming)
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

/** Fires when the client is gone. */
function left({ env: { outgoing } }: Context<Environment>): AbortController {
  const gone = new AbortController()
  if (outgoing.destroyed) gone.abort()
  outgoing.once('close', () => gone.abort())
  return gone
}
