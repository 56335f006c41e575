import { BoxRuntime } from 'boxledger'
import { connectGuest } from '../../../src/vmm/guest/channel.ts'
import { vmmHands } from '../../../src/vmm/vmm-driver.ts'
import { instantVmm } from '../../support/vmms.ts'
import { agentBox } from './in-a-box.ts'

/** Owns a home with a box in which a command runs, says which, and stays until it is killed. */
const [home = '', agent = ''] = process.argv.slice(2)
const hands = { ...vmmHands, reach: (_: unknown, signal: AbortSignal) => connectGuest(agent, signal) }
const runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm }, seams: { hands } })
const box = await runtime.create({ ...agentBox, name: 'it' })
const sleeper = box.exec('sh', ['-c', 'echo up; exec sleep 1000'])
await sleeper.stdout[Symbol.asyncIterator]().next()
process.send?.({ box: box.id, execution: sleeper.id })
await sleeper.wait()
