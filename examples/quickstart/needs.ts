import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { hostInfo } from 'boxledger'
import type { Report } from './report.ts'

const setup = fileURLToPath(new URL('../../../.ci/setup', import.meta.url))

interface Needs {
  readonly report: Report
  readonly home: string
  readonly signal: AbortSignal
}

/** Finds a VMM; where there is none, installs QEMU, which the emulator runs guests on. */
export async function ensureVmm({ report, home, signal }: Needs): Promise<void> {
  report.step('Find something to run guests with')
  let { linux } = (await hostInfo({ home, signal })).vmm
  if ('problem' in linux) {
    report.progress('nothing yet: installing QEMU from Debian, without recommended packages')
    // Says what to run by hand if it may not install.
    const child = spawn('bash', [setup, '--required'], { stdio: 'inherit', signal })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new Error('QEMU is needed; the lines above say how to install it')
    linux = (await hostInfo({ home, signal })).vmm.linux
  }
  if ('problem' in linux) throw new Error(linux.problem)
  report.seen(linux.why)
}
