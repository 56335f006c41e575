// @timeout 300
// @idle
import { suite } from '../support/suite.ts'
import { testAdopting } from './life/adopting.ts'
import { testCutting } from './life/cutting.ts'
import { testEnding } from './life/ending.ts'
import { testStarting } from './life/starting.ts'
import { testStopping } from './life/stopping.ts'
import { withoutGuest } from './life/vmms.ts'

const test = suite('life: none')

testStarting(test, withoutGuest)
testStopping(test, withoutGuest)
testEnding(test, withoutGuest)
testAdopting(test, withoutGuest)
testCutting(test, withoutGuest)

test.run()
