import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { HostAgents } from '../support/agent.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm, smallGuest } from '../support/vmms.ts'
import { damage } from './damage.ts'

const test = suite('api: a damaged record of an execution that ran')
const owner = fileURLToPath(new URL('./exec/sleeping-owner.js', import.meta.url))

test('it holds up nothing else: its box is removed, and an image that nobody uses', () =>
  withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const home = join(dir, 'home')
    const child = fork(owner, [home, agents.path])
    const [{ box, execution }] = (await once(child, 'message')) as [{ box: string; execution: string }]
    child.kill('SIGKILL')
    await once(child, 'exit')
    await damage(home, `${box}.${execution}`)
    await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    const report = await runtime.verify()
    assert.not(report.ok)
    assert.equal(report.parked, [`${box}.${execution}`])
    await runtime.images.add('mine', smallGuest('idle'))
    const user = await runtime.create({ image: 'mine' })
    const refused = await runtime.images.remove('mine').catch((error: unknown) => error)
    assert.equal((refused as { details?: unknown }).details, { image: 'mine', boxes: [user.id] })
    await user.remove()
    await runtime.images.remove('mine')
    assert.equal(
      (await runtime.images.list()).map(({ name }) => name),
      ['builtin'],
    )
    assert.is((await runtime.getInfo('it'))?.state, 'running')
    await runtime.remove('it', { force: true })
    assert.equal(await runtime.listInfo(), [])
  }))

test.run()
