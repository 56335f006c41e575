import { BoxRuntime } from 'boxledger'
import { attach } from '../../src/cli/attach.ts'
import { detachLeave } from '../../src/cli/detach-flags.ts'
import { makeOutput } from '../../src/cli/output.ts'
import { connectGuest } from '../../src/vmm/guest/channel.ts'
import { vmmHands } from '../../src/vmm/vmm-driver.ts'
import { agentBox } from '../api/exec/in-a-box.ts'
import { instantVmm } from '../support/vmms.ts'

/** What `exec -it` is where nobody else owns the home; the agent of its box runs elsewhere. */
const [home = '', agent = ''] = process.argv.slice(2)
const stop = new AbortController()
const output = makeOutput({ stdout: process.stdout, stderr: process.stderr, env: process.env, stop })
const hands = { ...vmmHands, reach: (_: unknown, signal: AbortSignal) => connectGuest(agent, signal) }
await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm }, seams: { hands } })
const box = await runtime.create({ ...agentBox, detach: false })
const flags = { interactive: true, tty: true }
process.exitCode = await attach(
  { output, json: false, signal: stop.signal, owns: () => true },
  { ...flags, ...detachLeave(flags) },
  options => box.exec('sh', [], options),
)
await box.remove({ force: true })
