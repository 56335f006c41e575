import { type Box, type BoxInfo, BoxRuntime, type LedgerRecord, type OpenOptions } from 'boxledger'
import { HostAgents } from '../../support/agent.ts'
import { withTempDir } from '../../support/tmp.ts'
import { instantVmm } from '../../support/vmms.ts'
import { agentBox, handsTo } from '../exec/in-a-box.ts'

/**
 * The records of a box of two owners, as a reader gets them: a command is run in it, its VMM is killed twice and is
 * started again by the policy, it is renamed, paused, resumed and stopped.
 */
export async function crashStory(): Promise<LedgerRecord[]> {
  const records: LedgerRecord[] = []
  await withTempDir(async dir => {
    await using agents = await HostAgents.listen(dir)
    const options: OpenOptions = {
      home: `${dir}/home`,
      vmm: { binary: instantVmm },
      seams: { hands: handsTo(agents) },
    }
    {
      await using first = await BoxRuntime.open(options)
      const box = await first.create({
        ...agentBox,
        name: 'web',
        labels: { team: 'blue' },
        restart: { policy: 'on-failure', backoff: { initialMs: 10 } },
      })
      await box.start({ actor: 'ann' })
      await box.exec('sh', ['-c', 'exit 3'], { recordArguments: true })
      await kill(box)
    }
    await using second = await BoxRuntime.open(options)
    const box = await second.get('web')
    if (box === undefined) throw new Error('There is no box of that name any more')
    try {
      await kill(box)
      await second.rename('web', 'shop')
      await box.pause()
      await box.resume()
      await box.exec('true')
      await box.stop({ timeoutMs: 40, actor: 'bob' })
      for await (const record of second.events({ box: box.id })) records.push(record)
    } finally {
      await box.stop({ mode: 'kill' }).catch(() => {})
    }
  })
  return records
}

/** Ends the VMM as if it had crashed, and waits for the next one to be up. */
async function kill(box: Box): Promise<void> {
  const { pid, incarnation } = await box.info()
  if (pid === undefined) throw new Error('The box has no VMM')
  process.kill(pid, 'SIGKILL')
  await box.waitFor((info: BoxInfo) => info.incarnation > incarnation && info.state === 'running')
}
