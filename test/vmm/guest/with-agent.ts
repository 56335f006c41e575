import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { connectGuest, type GuestChannel } from '../../../src/vmm/guest/channel.ts'
import type { Program, ProgramSpec } from '../../../src/vmm/guest/program.ts'
import { agentScript } from '../../../src/vmm/images/agent.ts'
import { withTempDir } from '../../support/tmp.ts'

/** The agent as a program of this machine, behind a socket like a VMM's. */
export async function withAgent(
  body: (channel: GuestChannel, agent: ChildProcess, connect: () => Promise<GuestChannel>) => Promise<void>,
): Promise<void> {
  await withTempDir(async dir => {
    const script = join(dir, 'agent')
    const path = join(dir, 'v')
    writeFileSync(script, agentScript)
    const agents: ChildProcess[] = []
    const server = createServer(socket => {
      let line = ''
      const onData = (bytes: Buffer): void => {
        line += bytes.toString('latin1')
        if (!line.endsWith('\n')) return
        socket.off('data', onData)
        const agent = spawn('perl', [script, 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
        agents.push(agent)
        socket.write('OK 1\n')
        pipe(socket, agent)
      }
      socket.on('data', onData)
      socket.on('error', () => {})
    })
    server.listen(path)
    await once(server, 'listening')
    const channels: GuestChannel[] = []
    const connect = async (): Promise<GuestChannel> => {
      const channel = await connectGuest(path, new AbortController().signal)
      channels.push(channel)
      return channel
    }
    try {
      const channel = await connect()
      await body(channel, agents[0] as ChildProcess, connect)
    } finally {
      for (const channel of channels) channel.close()
      await Promise.all(
        agents.map(agent => (agent.exitCode ?? agent.signalCode) === null && once(agent, 'exit')),
      )
      server.close()
      await once(server, 'close')
    }
  })
}

function pipe(socket: Socket, agent: ChildProcess): void {
  const { stdin, stdout } = agent
  if (!stdin || !stdout) throw new Error('no pipes')
  stdin.on('error', () => {})
  socket.pipe(stdin)
  stdout.pipe(socket)
  socket.on('close', () => stdin.end())
  agent.on('exit', () => socket.destroy())
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
