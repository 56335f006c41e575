import { renewal } from '../images/agent-renewal.ts'
import type { GuestChannel } from './channel.ts'

/** How much is told of what went wrong, in `characters`. */
const longestReason = 1_000

/**
 * Has the perl of a guest run `body`, which finds `set_right` and, in `$line`, what `tell` gives once it listens: the time
 * that it takes to start is not lost. Gives what it complained of before it failed, or nothing.
 */
export async function runPerl(
  channel: GuestChannel,
  body: string,
  tell: () => string,
  limit: AbortSignal,
): Promise<string> {
  const script = `${renewal}\n$| = 1;\nprint "ready\\n";\nmy $line = <STDIN>;\n${body}`
  const program = channel.run({ args: ['perl', '-e', script], env: {}, workdir: '/', user: '' })
  const kill = () => program.destroy()
  limit.addEventListener('abort', kill, { once: true })
  if (limit.aborted) kill()
  try {
    const said = collect(program.stderr)
    for await (const _ of program.stdout) program.stdin.end(`${tell()}\n`)
    const { exitCode } = await program.ended
    return exitCode === 0 ? '' : (await said) || `its perl ended with ${exitCode}`
  } finally {
    limit.removeEventListener('abort', kill)
  }
}

async function collect(output: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const bytes of output)
    text = `${text}${Buffer.from(bytes).toString('latin1')}`.slice(0, longestReason)
  return text.trim()
}
