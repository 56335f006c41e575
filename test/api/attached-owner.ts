import { BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from '../support/vmms.ts'

/** Owns a home with a box that is not to outlive it, says so, and stays until it is killed. */
const runtime = await BoxRuntime.open({ home: process.argv[2] as string, vmm: { binary: instantVmm } })
const box = await runtime.create({ name: 'goes', image: smallGuest('idle'), detach: false })
await box.start()
console.log('up')
await box.wait()
