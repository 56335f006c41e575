import { BoxError } from '../../machines/index.ts'
import type { BoxRuntime } from '../box-runtime.ts'
import { open } from '../embedded/open.ts'
import type { EmbeddedRuntime } from '../embedded/runtime.ts'
import type { OpenOptions } from '../runtime-options.ts'
import { silenceMs } from './client.ts'
import { connect } from './connect.ts'
import { Patience } from './patience.ts'

export interface Joined extends AsyncDisposable {
  readonly runtime: BoxRuntime
  /** whether this process owns the home, so that what runs without a VMM of its own ends with it */
  owns(): boolean
}

/**
 * A home's boxes, whoever owns it: this process if nobody else does, else through the socket of whoever does. Should
 * that one end, this process owns the home or is served by the next. Rejects with `ENGINE_LOCKED` when an owner has
 * not answered for 10 s.
 */
export async function join(options: OpenOptions, signal?: AbortSignal): Promise<Joined> {
  const patience = new Patience(silenceMs)
  for (;;) {
    signal?.throwIfAborted()
    try {
      return joined(await open(options), () => true)
    } catch (error) {
      if (!BoxError.is(error, 'ENGINE_LOCKED')) throw error
      patience.refused(error)
      const served = await serve(options)
      if (served !== undefined) return served
      if (patience.isOver) throw error
    }
    await patience.pause(signal === undefined ? {} : { signal })
  }
}

function joined(runtime: BoxRuntime, owns: () => boolean): Joined {
  return { runtime, owns, [Symbol.asyncDispose]: () => runtime.close() }
}

async function serve(options: OpenOptions): Promise<Joined | undefined> {
  let isOwner = false
  let own: Promise<EmbeddedRuntime | undefined> = Promise.resolve(undefined)
  try {
    const served = await connect(options.home === undefined ? {} : { home: options.home }, {
      patienceMs: silenceMs,
      takeOver: async () => {
        let refusal: BoxError | undefined
        own = open(options).catch(error => {
          // Somebody else was quicker, and serves.
          if (!BoxError.is(error, 'ENGINE_LOCKED')) throw error
          refusal = error
          return undefined
        })
        isOwner = (await own) !== undefined
        return refusal
      },
      // Also what is being taken over just then.
      afterClose: async () => (await own.catch(() => undefined))?.close(),
    })
    return joined(served, () => isOwner)
  } catch (error) {
    if (BoxError.is(error, 'NO_OWNER')) return undefined
    throw error
  }
}
