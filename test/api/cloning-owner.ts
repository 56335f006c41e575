import { BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from '../support/vmms.ts'

/** Owns a home with a box that it has saved and clones, and dies at a boundary of that. */
const [home = '', deadly = ''] = process.argv.slice(2)
let isCloning = false
const runtime = await BoxRuntime.open({
  home,
  vmm: { binary: instantVmm },
  seams: {
    boundary: name => {
      if (isCloning && name === deadly) process.kill(process.pid, 'SIGKILL')
    },
  },
})
const { kernel, cmdline } = smallGuest('tick')
const box = await runtime.create({
  name: 'it',
  image: { kernel, cmdline },
  memoryMib: 64,
  stopTimeoutMs: 100,
})
await box.start()
await box.snapshots.create('kept')
isCloning = true
await box.clone({ name: 'cloned' })
