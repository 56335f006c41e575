// @timeout 300
import { suite } from '../support/suite.ts'
import { testAdopting } from './life/adopting.ts'
import { testCutting } from './life/cutting.ts'
import { testEnding } from './life/ending.ts'
import { testStarting } from './life/starting.ts'
import { testStopping } from './life/stopping.ts'
import { onQemu } from './life/vmms.ts'

const test = suite('life: qemu')

testStarting(test, onQemu)
testStopping(test, onQemu)
testEnding(test, onQemu)
testAdopting(test, onQemu)
testCutting(test, onQemu)

test.run()
