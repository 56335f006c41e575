import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { isAlive, processesWith } from './life/processes.ts'
import { onCloudHypervisor, type TestedVmm, withoutGuest } from './life/vmms.ts'

const test = suite('detach')
const owner = fileURLToPath(new URL('./life/owner.js', import.meta.url))

/** A box in a process of its own, which is then killed: true if the VMM lives on. */
async function outlives(vmm: TestedVmm, detach: boolean): Promise<boolean> {
  let lives = false
  await withTempDir(async home => {
    const child = spawn(process.execPath, [owner, home, vmm.name, String(detach)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'close')
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const pid = Number(said.toString())
    assert.ok(isAlive(pid))
    child.kill('SIGKILL')
    await ended
    if (!detach) await eventually(() => !isAlive(pid), { what: 'the end of the VMM' })
    lives = isAlive(pid)
    for (const left of processesWith(home)) process.kill(left, 'SIGKILL')
    await eventually(() => processesWith(home).length === 0)
  })
  return lives
}

for (const [vmm, register] of [
  [withoutGuest, test],
  [onCloudHypervisor, (name: string, body: () => Promise<void>) => needsCloudHypervisor(test, name, body)],
] as const) {
  register(`a detached box outlives its owner's death, another does not: ${vmm.name}`, async () => {
    assert.is(await outlives(vmm, true), true)
    assert.is(await outlives(vmm, false), false)
  })
}

test.run()
