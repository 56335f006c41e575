import { join } from 'node:path'
import { type BoxInfo, BoxRuntime } from 'boxledger'
import { isRefusal, step } from 'boxledger/machines'
import { openLedger } from 'boxledger/store'
import * as assert from 'uvu/assert'
import { withTempDir } from '../../support/tmp.ts'
import { smallGuest } from '../../support/vmms.ts'
import { vmmsOf } from '../crash/vmms.ts'
import { kill, type Place, rows, type Vmm } from './table.ts'

type Binary = string | readonly string[]

const wordsOf = ({ state, ending }: BoxInfo) =>
  [state, ending?.cause, ending?.code].filter(word => word !== undefined).join(' ')

/** Shows every ending on one VMM, prints the table, and fails if one is told wrongly. */
export async function showEndings(vmm: Vmm, binary: Binary, atOnce: number): Promise<void> {
  const lines: string[] = []
  const wrong: string[] = []
  const skipped: string[] = []
  const told = (ending: string, seen: string, expected: string) => {
    lines.push(`${ending} → ${seen}`)
    if (seen !== expected) wrong.push(`${ending}: ${seen}, not ${expected}`)
  }
  const queue = rows.values()
  const work = async () => {
    for (const { ending, make, expected, also, cannot } of queue) {
      const why = cannot?.[vmm]
      if (why !== undefined) {
        skipped.push(`${ending}: ${why}`)
        continue
      }
      // A home for each, so that one row cannot disturb another.
      await withRuntime(vmm, binary, async place => {
        const info = await make(place).catch(error => error as Error)
        const seen = info instanceof Error ? info.message.split('\n', 1).join() : wordsOf(info)
        const wanted = typeof expected === 'string' ? expected : (expected[vmm] ?? '')
        told(ending, seen, wanted)
        if (seen === wanted && also !== undefined && !also(info as BoxInfo))
          wrong.push(
            `${ending}: ${JSON.stringify((info as BoxInfo).ending)} with reboots ${(info as BoxInfo).reboots}`,
          )
      })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  told('a reboot of the host', await hostReboot(binary), 'stopped host-reboot')
  for (const [ending, words, expected] of broken(vmm, binary)) told(ending, await startWith(words), expected)

  console.log(
    `endings on ${vmm}: ${lines.length} shown, ${wrong.length} wrong, ${skipped.length} cannot be shown`,
  )
  for (const line of lines) console.log(`  ${line}`)
  for (const line of skipped) console.log(`  not here: ${line}`)
  assert.equal(wrong, [])
}

async function withRuntime<T>(vmm: Vmm, binary: Binary, use: (place: Place) => Promise<T>): Promise<T> {
  return withTempDir(async home => {
    const runtime = await BoxRuntime.open({ home, vmm: { binary } })
    try {
      return await use({ runtime, home, vmm })
    } finally {
      for (const { id } of await runtime.listInfo()) await runtime.remove(id, { force: true })
      await runtime.close()
      assert.equal(vmmsOf(home), [])
    }
  })
}

/** The engine ends, and when it comes back the ledger's process is of another boot and nothing lives. */
async function hostReboot(binary: Binary): Promise<string> {
  return withTempDir(async home => {
    const first = await BoxRuntime.open({ home, vmm: { binary } })
    const { id } = await first.create({ name: 'it', image: smallGuest('idle'), memoryMib: 64 })
    await (await first.get(id))?.start()
    const { pid = 0 } = (await first.getInfo(id)) as BoxInfo
    await first.close()
    kill(pid)
    const bootId = '00000000-0000-0000-0000-000000000001'
    const ledger = await openLedger({ home, bootId, engine: 'test', now: () => Date.now() })
    const head = ledger.head(id)
    const recorded = head?.state.context.process
    if (head === undefined || !recorded) throw new Error('no process is recorded')
    const at = Date.now()
    const event = { type: 'vmm.spawned', process: { ...recorded, bootId }, incarnation: 1 } as const
    const transition = step(head.state, event, { at, version: head.version + 1 })
    if (isRefusal(transition)) throw new Error('refused')
    await ledger.append({ box: id, expectedVersion: head.version, transition, at, meta: {} })
    await ledger.close()
    await using second = await BoxRuntime.open({ home, vmm: { binary } })
    const box = await second.get(id)
    return wordsOf((await box?.waitFor('down', { timeoutMs: 20_000 })) as BoxInfo)
  })
}

/** Programs that are no VMM, or one that does not come up. */
function broken(vmm: Vmm, binary: Binary): [string, Binary, string][] {
  const missing: [string, Binary, string] = [
    'the VMM program is missing',
    join('/nowhere', vmm),
    'failed boot-failed VMM_NOT_FOUND',
  ]
  if (vmm !== 'none') return [missing]
  return [
    missing,
    [
      'the VMM ends before its socket is there',
      [...binary, '--fault', 'exit-at-start'],
      'failed boot-failed VMM_START_FAILED',
    ],
    ['the VMM never makes its socket', [...binary, '--fault', 'no-socket'], 'failed boot-failed VMM_TIMEOUT'],
    ['the VMM dies at vm.create', [...binary, '--fault', 'die:vm.create'], 'failed boot-failed BOOT_FAILED'],
    [
      'vm.create is answered with an error',
      [...binary, '--fault', 'answer:vm.create,status=500'],
      'failed boot-failed BOOT_FAILED',
    ],
  ]
}

function startWith(binary: Binary): Promise<string> {
  return withRuntime('none', binary, async ({ runtime }) => {
    const box = await runtime.create({ image: smallGuest('idle'), memoryMib: 64 })
    await box.start().catch(() => {}) // told by the box itself
    return wordsOf(await box.waitFor('down', { timeoutMs: 30_000 }))
  })
}
