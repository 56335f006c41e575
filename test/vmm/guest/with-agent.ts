import type { ChildProcess } from 'node:child_process'
import { connectGuest, type GuestChannel } from '../../../src/vmm/guest/channel.ts'
import type { Program, ProgramSpec } from '../../../src/vmm/guest/program.ts'
import { HostAgents } from '../../support/agent.ts'
import { withTempDir } from '../../support/tmp.ts'

/** A session with an agent of this machine. */
export async function withAgent(
  body: (channel: GuestChannel, agent: ChildProcess, connect: () => Promise<GuestChannel>) => Promise<void>,
): Promise<void> {
  await withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const channels: GuestChannel[] = []
    const connect = async (): Promise<GuestChannel> => {
      const channel = await connectGuest(agents.path, new AbortController().signal)
      channels.push(channel)
      return channel
    }
    try {
      const channel = await connect()
      await body(channel, agents.all[0] as ChildProcess, connect)
    } finally {
      for (const channel of channels) channel.close()
    }
  })
}

export const program = (args: readonly string[], more: Partial<ProgramSpec> = {}): ProgramSpec => ({
  args,
  env: {},
  workdir: '/',
  user: String(process.getuid?.()),
  ...more,
})

export const shell = (text: string, more: Partial<ProgramSpec> = {}): ProgramSpec =>
  program(['sh', '-c', text], more)

export async function textOf(output: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const bytes of output) parts.push(bytes)
  return Buffer.concat(parts).toString('utf8')
}

/** What a program that is left alone comes to. */
export async function outcome(run: Program): Promise<Record<string, unknown>> {
  const [stdout, stderr, end] = await Promise.all([textOf(run.stdout), textOf(run.stderr), run.ended])
  return { stdout, stderr, ...end }
}
