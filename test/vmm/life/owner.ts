import { Loop } from './loop.ts'
import { onCloudHypervisor, withoutGuest } from './vmms.ts'
import { guest } from './with-loop.ts'

// An owner to be killed: `owner.js HOME VMM DETACH` starts a box and prints the pid of its VMM.
const [home = '', name, detach] = process.argv.slice(2)
const vmm = [withoutGuest, onCloudHypervisor].find(each => each.name === name)?.choice
if (vmm === undefined) throw new Error(`No VMM is called ${name}`)
const loop = new Loop({ home, vmm, spec: { ...guest('tick'), detach: detach === 'true' } })
await loop.start()
process.stdout.write(String(loop.pid))
setInterval(() => {}, 1_000)
