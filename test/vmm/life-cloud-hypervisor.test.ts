// @heavy
// @timeout 300
import { suite } from '../support/suite.ts'
import { testAdopting } from './life/adopting.ts'
import { testCutting } from './life/cutting.ts'
import { testEnding } from './life/ending.ts'
import { testStarting } from './life/starting.ts'
import { testStopping } from './life/stopping.ts'
import { onCloudHypervisor } from './life/vmms.ts'

const test = suite('life: cloud-hypervisor')

testStarting(test, onCloudHypervisor)
testStopping(test, onCloudHypervisor)
testEnding(test, onCloudHypervisor)
testAdopting(test, onCloudHypervisor)
testCutting(test, onCloudHypervisor)

test.run()
