import type { Head } from '../../machines/index.ts'
import { RemoteActors } from './actors.ts'
import type { OwnerClient } from './client.ts'
import { KnownNames } from './known.ts'
import { Progress } from './progress.ts'
import { type Answer, fromWire } from './wire.ts'

/** What the boxes of one connection share. */
export class Shared {
  readonly client: OwnerClient
  readonly names = new KnownNames()
  readonly progress = new Progress()
  readonly actors: RemoteActors

  constructor(client: OwnerClient) {
    this.client = client
    this.actors = new RemoteActors(client, this.progress)
  }

  /** A call's value. `onHead` is told how the box is then that it was about, also if the call is refused. */
  async call<T>(
    path: string,
    args: readonly unknown[],
    {
      signal,
      onHead,
    }: { readonly signal?: AbortSignal | undefined; readonly onHead?: (head: Head) => void } = {},
  ): Promise<T> {
    const { value, error, head }: Answer = await this.client.call(path, args, signal)
    if (head !== undefined) {
      this.names.see(head)
      onHead?.(head)
      await this.progress.reached(head.box, head.position)
    }
    if (error !== undefined) throw fromWire(error)
    return value as T
  }
}
