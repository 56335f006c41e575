import type { ExecOptions } from '../execution.ts'

/**
 * A command over the owner's socket: `GET /v1/box/ID/exec` with `Upgrade: boxledger-exec`, and from then on frames as
 * they go to the agent of a guest (`vmm/images/agent-protocol.ts`), with these of our own. Credit is given from one end
 * to the other, so that nothing piles up between them. Whoever ends the connection ends the command, unless it has left it.
 *
 *   x   client   {id, command, args, options}; first, and once
 *   b   owner    it is recorded, and runs
 *   l   client   it leaves: the command goes on without it
 *   l   owner    that is heard
 *   z   owner    how it ended, which is recorded too; last
 *   f   owner    an error; last
 */
export const execFrames = { begin: 'x', begun: 'b', leave: 'l', ended: 'z', failed: 'f' } as const

export const execProtocol = 'boxledger-exec'

export interface WireCommand {
  readonly id: string
  readonly command: string
  readonly args: readonly string[]
  readonly options: ExecOptions
}
