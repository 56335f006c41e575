// A program that has no more to do: `node leaver.js HOME open|connect WHAT`. It says so, and ends if nothing holds it.
import { setTimeout as delay } from 'node:timers/promises'
import { BoxRuntime } from 'boxledger'
import { instantVmm } from '../support/vmms.ts'

const [home = '', way, what] = process.argv.slice(2)
const runtime =
  way === 'open'
    ? await BoxRuntime.open({ home, vmm: { binary: instantVmm } })
    : await BoxRuntime.connect({ home })
const box = await runtime.get('it')
if (box === undefined) throw new Error('there is no box "it"')

const drain = async (values: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of values);
}
const hear = (): void => {
  const error = (reason: unknown) => console.error(reason)
  runtime.boxes$.subscribe({ error })
  runtime.changes$.subscribe({ error })
  runtime.events$({ follow: true }).subscribe({ error })
  runtime.events$({ box: 'it', follow: true }).subscribe({ error })
  box.state$.subscribe({ error })
  box.actor.subscribe(() => {})
}

const works: Readonly<Record<string, () => unknown>> = {
  nothing: () => {},
  'a moment': () => delay(500),
  subscriptions: hear,
  'closed subscriptions': async () => {
    hear()
    await box.info()
    await runtime.close()
  },
  events: () => void drain(runtime.events({ follow: true })),
  console: () => void drain(box.console({ follow: true })),
  wait: () => void box.wait(),
  waitFor: () => void box.waitFor('gone'),
}
await works[what ?? '']?.()
console.log('done')
