// @heavy
// @timeout 240
import { runsLinux } from '../../../src/vmm/discovery/probe.ts'
import { ensureBuiltinImage } from '../../../src/vmm/images/builtin.ts'
import { builtinCmdline } from '../../../src/vmm/images/cmdline.ts'
import { needsLinuxOnCloudHypervisor } from '../../support/requires.ts'
import { suite } from '../../support/suite.ts'
import { testImages } from '../images/qemu-guest.ts'
import { channelOn, whatChannelsDo } from './built-in.ts'

const test = suite('guest channel on cloud-hypervisor')

await needsLinuxOnCloudHypervisor(test, whatChannelsDo, channelOn(['cloud-hypervisor']), async () => {
  const image = await ensureBuiltinImage({ dir: testImages() })
  const guest = { ...image, cmdline: builtinCmdline({ name: 'box' }), disks: [], hasAgent: true }
  return runsLinux('cloud-hypervisor', guest, AbortSignal.timeout(60_000))
})

test.run()
