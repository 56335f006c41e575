import { type BoxInfo, BoxRuntime } from 'boxledger'
import { instantVmm, smallGuest } from './vmms.ts'

/** Nobody waits for a restart in these tests, and its length is drawn the same each time. */
const restart = { policy: 'on-failure', backoff: { initialMs: 10, jitter: 0 } } as const

/** A box whose VMM is killed twice and restarted by its policy, which gets another name and is stopped. Gives its ID. */
export async function crashStory(home: string): Promise<string> {
  await using runtime = await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
  const box = await runtime.create({ name: 'web', image: smallGuest('idle'), restart })
  await box.start({ actor: 'alice' })
  for (const next of [2, 3]) {
    process.kill((await box.info()).pid as number, 'SIGKILL')
    await box.waitFor(({ state, incarnation }: BoxInfo) => state === 'running' && incarnation === next)
  }
  await runtime.rename('web', 'web-old', { actor: 'alice' })
  await box.stop({ mode: 'kill', actor: 'bob' })
  return box.id
}
