import { BoxError } from '../../machines/index.ts'
import { checkedHome } from '../checked-home.ts'
import { socketOf } from '../home.ts'
import { check, shapes } from '../options.ts'
import { type Hooks, noOwner, OwnerClient } from './client.ts'
import { OwnerLost } from './request.ts'
import { RemoteRuntime } from './runtime.ts'

export interface ConnectOptions {
  /** default: as of `open` */
  readonly home?: string
}

/** Talks to the owner of a home. Rejects with `NO_OWNER` at once if there is none, after 10 s if it does not answer. */
export async function connect(
  options: ConnectOptions = {},
  { afterClose, ...hooks }: Hooks & { readonly afterClose?: () => Promise<void> } = {},
): Promise<RemoteRuntime> {
  const home = checkedHome(check(shapes.connect, options, 'options').home)
  const client = new OwnerClient({ socket: socketOf(home), ...hooks })
  try {
    await client.owner()
  } catch (error) {
    if (!(error instanceof OwnerLost)) throw error
    if ((error.cause as NodeJS.ErrnoException).code === 'ENOTDIR')
      throw new BoxError('INVALID_ARGUMENT', `The home ${home} is not a directory`, {
        details: { field: 'home' },
        cause: error,
      })
    throw noOwner(`No process that answers owns the home ${home}; boxledger serve would`, error)
  }
  return new RemoteRuntime(client, afterClose)
}
