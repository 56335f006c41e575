// @timeout 300

import { needsQemu } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { qemuVmm } from '../support/vmms.ts'
import { showEndings } from './endings/show.ts'

const test = suite('engine: every ending, on QEMU')

needsQemu(test, 'of the small guest on QEMU', () => showEndings('qemu', qemuVmm, 2))

test.run()
