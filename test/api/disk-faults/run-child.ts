import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** System calls that write: the ones that can fail and leave half of something. */
export const calls = ['fdatasync', 'fsync', 'write', 'pwrite64', 'rename', 'openat', 'unlink'] as const

/** A fault that the kernel gives instead of doing what it is asked. */
export interface Fault {
  readonly call: (typeof calls)[number] | 'read'
  readonly error: 'EIO' | 'ENOSPC'
  /** the n-th such call of a thread, from 1; with a step, three more, so far apart */
  readonly when: number
  readonly step?: number
  /** then it is these only, and with a step at every call */
  readonly files?: readonly string[]
}

export interface Outcome {
  /** box by the ID of the command */
  readonly answered: ReadonlyMap<string, string>
  /** codes of what was answered otherwise */
  readonly codes: readonly string[]
  /** it ended as it should */
  readonly closed: boolean
  readonly stderr: string
  /** calls that were given the fault */
  readonly injected: number
  /** calls that were met, of the thread with the most */
  readonly calls: ReadonlyMap<string, number>
}

const program = fileURLToPath(new URL('./child.js', import.meta.url))

/** Runs an owner whose system calls on the home's own files are counted, and fail as asked. */
export async function runChild(
  home: string,
  [first, last]: readonly [number, number],
  fault: Fault | undefined,
  trace: string,
): Promise<Outcome> {
  const child = spawn(
    'strace',
    [
      ...['-f', '--seccomp-bpf', '-qq', '-o', trace, '-e', `trace=${fault?.call ?? calls.join(',')}`],
      ...(fault === undefined ? [] : ['-e', injectionOf(fault)]),
      ...(fault?.files ?? filesOf(home)).flatMap(file => ['-P', file]),
      ...[process.execPath, program, home, String(first), String(last), fault?.files ? '0' : '30000'],
    ],
    // The calls of each thread are counted on their own.
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, UV_THREADPOOL_SIZE: '1' } },
  )
  const answered = new Map<string, string>()
  const codes: string[] = []
  let closed = false
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  createInterface({ input: child.stdout }).on('line', line => {
    const said = JSON.parse(line) as { answered?: string; box?: string; code?: string; closed?: boolean }
    if (said.answered !== undefined) answered.set(said.answered, said.box ?? '')
    if (said.code !== undefined) codes.push(said.code)
    if (said.closed) closed = true
  })
  await once(child, 'close')
  const lines = readFileSync(trace, 'latin1').split('\n')
  const counts = new Map<string, number>()
  const most = new Map<string, number>()
  for (const line of lines) {
    const [, thread, call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? []
    const count = (counts.get(`${thread} ${call}`) ?? 0) + 1
    counts.set(`${thread} ${call}`, count)
    if (call !== '') most.set(call, Math.max(count, most.get(call) ?? 0))
  }
  return {
    answered,
    codes,
    closed,
    stderr,
    injected: lines.filter(line => line.includes('(INJECTED)')).length,
    calls: most,
  }
}

function injectionOf({ call, error, when, step, files }: Fault): string {
  if (files !== undefined && step !== undefined) return `inject=${call}:error=${error}`
  const times = step === undefined ? when : `${when}..${when + 3 * step}+${step}`
  return `inject=${call}:error=${error}:when=${times}`
}

/** The ledger's own files, as far as LevelDB gets with their numbers. Where there are none yet, there may be. */
function filesOf(home: string): string[] {
  const ledger = join(home, 'ledger')
  const numbered = Array.from({ length: 150 }, (_, n) => String(n + 1).padStart(6, '0')).flatMap(number => [
    ...['log', 'ldb', 'dbtmp'].map(kind => `${number}.${kind}`),
    `MANIFEST-${number}`,
  ])
  const others = ['CURRENT', 'LOG', 'checked', 'ballast', ...numbered].map(file => join(ledger, file))
  return [home, join(home, 'ledger.tail'), join(home, 'lock'), ledger, ...others]
}
