import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { instantVmm } from '../support/vmms.ts'

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface ServingProcess {
  /** Resolves when the process has ended */
  end(signal: NodeJS.Signals): Promise<void>
}

/** An owner in a process of its own; resolves when it serves. */
export const serve = async (home: string): Promise<ServingProcess> => {
  const child = spawn(process.execPath, [main, '--home', home, 'serve'], {
    env: { ...process.env, BOXLEDGER_VMM: instantVmm.join(' ') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  return {
    end: async signal => {
      child.kill(signal)
      await ended
    },
  }
}
