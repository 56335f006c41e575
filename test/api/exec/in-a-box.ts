import type { Box, BoxOptions, BoxRuntime, OpenOptions } from 'boxledger'
import type { Hands } from '../../../src/vmm/driver.ts'
import { connectGuest } from '../../../src/vmm/guest/channel.ts'
import { vmmHands } from '../../../src/vmm/vmm-driver.ts'
import { HostAgents } from '../../support/agent.ts'
import { withTempDir } from '../../support/tmp.ts'
import { instantVmm, smallGuest } from '../../support/vmms.ts'
import type { Way } from '../ways.ts'

/** A box whose VMM has no guest, and whose guest's agent runs here. */
export const agentBox: BoxOptions = { image: { ...smallGuest('idle'), agent: true }, ready: 'vmm' }

export const handsTo = ({ path }: HostAgents): Hands => ({
  ...vmmHands,
  reach: (_, signal) => connectGuest(path, signal),
})

export interface Place {
  readonly home: string
  readonly options: OpenOptions
  readonly runtime: BoxRuntime
  readonly box: Box
}

/** A home with one box, by a way to it. */
export async function inABox(way: Way, body: (place: Place) => Promise<void>): Promise<void> {
  await withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const home = `${dir}/home`
    const options: OpenOptions = { home, vmm: { binary: instantVmm }, seams: { hands: handsTo(agents) } }
    await using opened = await way.open(options)
    const { runtime } = opened
    const box = await runtime.create({ ...agentBox, name: 'it' })
    try {
      await body({ home, options, runtime, box })
    } finally {
      await box.stop({ mode: 'kill' }).catch(() => {})
    }
  })
}
