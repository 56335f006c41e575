import { BoxRuntime } from 'boxledger'
import { qemuVmm } from '../../support/vmms.ts'

/** Owns a home with a box in which a command runs, says which, and stays until it is killed. */
const runtime = await BoxRuntime.open({ home: process.argv[2] as string, vmm: { binary: qemuVmm } })
const box = await runtime.create({ name: 'it' })
const sleeper = box.exec('sh', ['-c', 'echo up; exec sleep 1000'])
await sleeper.stdout[Symbol.asyncIterator]().next()
process.send?.(sleeper.id)
await sleeper.wait()
