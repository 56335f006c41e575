// @heavy
// @timeout 240
import { needsQemu } from '../../support/requires.ts'
import { suite } from '../../support/suite.ts'
import { vmmCommand } from '../emulator/vmm-process.ts'
import { channelOn, whatChannelsDo } from './built-in.ts'

const test = suite('guest channel to the built-in guest')

needsQemu(test, whatChannelsDo, channelOn(vmmCommand('qemu')))

test.run()
