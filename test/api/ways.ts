import { BoxRuntime, type OpenOptions } from 'boxledger'

/** A way to a home's boxes: what the library promises, it promises of each. */
export interface Way {
  readonly name: string
  open(options: OpenOptions): Promise<Opened>
}

/** The boxes of a home; disposing frees the home. */
export interface Opened extends AsyncDisposable {
  readonly runtime: BoxRuntime
}

export const embedded: Way = {
  name: 'embedded',
  open: async options => {
    const runtime = await BoxRuntime.open(options)
    return { runtime, [Symbol.asyncDispose]: () => runtime.close() }
  },
}

const socket: Way = {
  name: 'socket',
  open: async options => {
    const owner = await BoxRuntime.open(options)
    const runtime = await BoxRuntime.connect(options.home === undefined ? {} : { home: options.home })
    return {
      runtime,
      [Symbol.asyncDispose]: async () => {
        await runtime.close()
        await owner.close()
      },
    }
  },
}

export const ways: readonly Way[] = [embedded, socket]
