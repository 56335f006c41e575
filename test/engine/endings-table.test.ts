// @timeout 240

import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { instantVmm } from '../support/vmms.ts'
import { showEndings } from './endings/show.ts'

const test = suite('engine: every ending')

test('without a guest', () => showEndings('none', instantVmm, 4))

needsCloudHypervisor(test, 'on cloud-hypervisor', () =>
  showEndings('cloud-hypervisor', 'cloud-hypervisor', 4),
)

test.run()
