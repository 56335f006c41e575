import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { agentScript } from '../../src/vmm/images/agent.ts'

/** The agent as a program of this machine, behind a socket like a VMM's: one for each connection. */
export class HostAgents implements AsyncDisposable {
  readonly path: string
  readonly all: ChildProcess[] = []
  readonly #script: string
  readonly #server = createServer(socket => this.#serve(socket))

  private constructor(dir: string) {
    this.path = join(dir, 'v')
    this.#script = join(dir, 'agent')
    writeFileSync(this.#script, agentScript)
  }

  /** In a directory of its own. */
  static async listen(dir: string): Promise<HostAgents> {
    const agents = new HostAgents(dir)
    agents.#server.listen(agents.path)
    await once(agents.#server, 'listening')
    return agents
  }

  /** Once those who are connected have let go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.all.map(agent => (agent.exitCode ?? agent.signalCode) === null && once(agent, 'exit')),
    )
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    let line = ''
    const onData = (bytes: Buffer): void => {
      line += bytes.toString('latin1')
      if (!line.endsWith('\n')) return
      socket.off('data', onData)
      const agent = spawn('perl', [this.#script, 'stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
      this.all.push(agent)
      socket.write('OK 1\n')
      pipe(socket, agent)
    }
    socket.on('data', onData)
    socket.on('error', () => {})
  }
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
