import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs an example, a script by its name with `.sh`, as a user would, on a VMM of our choice; without a home it makes its own. */
export async function runExample(
  name: string,
  home: string | undefined,
  vmm: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Run> {
  const isScript = name.endsWith('.sh')
  const program = fileURLToPath(
    new URL(isScript ? `../../../examples/${name}` : `../../examples/${name}.js`, import.meta.url),
  )
  const BOXLEDGER_VMM = vmm.map(word => `'${word}'`).join(' ')
  const child = spawn(isScript ? 'sh' : process.execPath, [program], {
    env: { ...process.env, BOXLEDGER_HOME: home, BOXLEDGER_VMM, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {}) // one that reads nothing
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}
