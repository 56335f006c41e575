// @timeout 420
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { eventually } from '../support/eventually.ts'
import { needsCloudHypervisor } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { vmmsOf } from './crash/vmms.ts'
import { type Arranged, arrange, editLedger, reach } from './recovery/arrange.ts'
import { type Row, rows } from './recovery/table.ts'

const test = suite('engine: recovery, total')
const all = rows()
const real = all.filter(({ expected }) => expected !== undefined && 'ends' in expected)

type Open = (home: string) => Promise<BoxRuntime>

const openWith =
  (binary: string | readonly string[]): Open =>
  home =>
    BoxRuntime.open({ home, vmm: { binary }, durability: 'process', startConcurrency: 64 })

/** Where a box is by now: its state, and its ending's cause; nothing while it is on its way. */
async function whereIs(runtime: BoxRuntime, id: string): Promise<string> {
  const info = await runtime.getInfo(id)
  if (info === undefined) {
    let last = ''
    for await (const { to } of runtime.history(id)) last = to
    return last
  }
  return info.recovering ? '' : [info.state, info.ending?.cause ?? ''].join(' ').trim()
}

const ways = (runtime: BoxRuntime, boxes: readonly Arranged[]) =>
  Promise.all(boxes.map(({ id }) => whereIs(runtime, id)))

/** Brings one box for each row to its state, a few at a time: those that may not stay there long come last. */
async function bring(runtime: BoxRuntime, home: string): Promise<Arranged[]> {
  const boxes: Arranged[] = []
  const inOrder = [...real].sort((a, b) => Number(a.state === 'stopping') - Number(b.state === 'stopping'))
  const waiting = inOrder.filter(({ state }) => state !== 'starting')
  const last = inOrder.filter(({ state }) => state === 'starting')
  for (const group of [waiting, last]) {
    const queue = group.values()
    const work = async () => {
      for (const { state, world, boot } of queue) {
        const name = [state, world, boot].join('.').replaceAll(' ', '-')
        const { id } = await reach[state](runtime, name)
        boxes.push({ id, state, world, boot, dir: join(home, 'boxes', id, '1'), pid: 0 })
      }
    }
    await Promise.all(Array.from({ length: 8 }, work))
  }
  return boxes
}

const atRest = /^(configured|stopped|crashed|failed|removed)/
const nameOf = ({ state, world, boot }: Arranged) => `${state}, ${world}, ${boot}`

const expectedOf = ({ state, world, boot }: Arranged) => {
  const row = real.find(row => row.state === state && row.world === world && row.boot === boot) as Row
  return row.expected as { ends: string; vmm: 'lives' | 'gone' }
}

test('something is expected of every public state in every world', () => {
  assert.equal(
    all.filter(({ expected }) => expected === undefined),
    [],
  )
})

const showTable = (open: Open) =>
  withTempDir(async home => {
    const stranger = spawn('sleep', ['600'])
    try {
      const before = await open(home)
      const boxes = await bring(before, home)
      await before.close()
      const pids = await editLedger(home, boxes, stranger.pid ?? 0)
      for (const box of boxes) box.pid = pids.get(box.id) ?? 0
      await Promise.all(boxes.filter(({ pid }) => pid !== 0).map(arrange))

      const first = await open(home)
      let found: string[] = []
      await eventually(
        async () => {
          found = await ways(first, boxes)
          return boxes.every((box, n) => found[n] === expectedOf(box).ends)
        },
        { timeoutMs: 30_000, everyMs: 200 },
      ).catch(() => {}) // told below, box by box
      const position = (await first.verify()).records
      await first.close()

      const second = await open(home)
      let again: string[] = []
      await eventually(
        async () => {
          again = await ways(second, boxes)
          return again.every(where => where !== '')
        },
        { timeoutMs: 30_000, everyMs: 200 },
      )
      const alive = new Set(vmmsOf(home).map(({ box }) => box))
      const report = await second.verify({ replay: true })
      const wrong = boxes.flatMap((box, n) => {
        const { ends, vmm } = expectedOf(box)
        const seen = [
          ...(found[n] === ends ? [] : [`is ${found[n]}, not ${ends}`]),
          ...(again[n] === found[n] ? [] : [`is ${again[n]} after the second recovery, ${found[n]} before`]),
          ...(alive.has(box.id) === (vmm === 'lives') ? [] : [`its VMM should be: ${vmm}`]),
        ]
        return seen.length === 0 ? [] : [`${nameOf(box)}: ${seen.join('; ')}`]
      })
      const news: string[] = []
      for await (const { event, box } of second.events({ from: position + 1 }))
        news.push(`${boxes.find(({ id }) => id === box)?.state}: ${event.type}`)

      // What cannot be looked at is not stuck: once it can be, and nothing lives any more, every box comes to rest.
      for (const box of boxes)
        if (box.world === 'no proof') rmSync(join(box.dir, 'alive'), { recursive: true, force: true })
      for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
      let last: string[] = []
      await eventually(
        async () => {
          last = await ways(second, boxes)
          return last.every(where => atRest.test(where))
        },
        { timeoutMs: 40_000, everyMs: 200 },
      ).catch(() => {}) // told below, box by box
      for (const [n, box] of boxes.entries())
        if (!atRest.test(last[n] ?? ''))
          wrong.push(`${nameOf(box)}: is ${last[n]} when nothing lives any more`)
      await second.close()

      print(boxes, wrong.length)
      assert.equal(wrong, [])
      assert.equal(news, [], 'the second recovery has nothing to record')
      assert.equal(report.problems, [])
      assert.is(stranger.exitCode ?? stranger.signalCode, null, 'a stranger with a reused pid is left alone')
      assert.equal(vmmsOf(home), [])
    } finally {
      stranger.kill('SIGKILL')
      for (const { pid } of vmmsOf(home)) process.kill(pid, 'SIGKILL')
    }
  })

const what = `${real.length} boxes end where they must, and a second recovery changes nothing`
test(what, () => showTable(openWith(instantVmm)))
needsCloudHypervisor(test, `${what}, on cloud-hypervisor`, () => showTable(openWith('cloud-hypervisor')))

function print(boxes: readonly Arranged[], wrong: number): void {
  const impossible = all.length - real.length
  for (const state of new Set(all.map(({ state }) => state)))
    for (const boot of ['same boot', 'other boot'] as const) {
      const cells = all
        .filter(row => row.state === state && row.boot === boot)
        .flatMap(({ world, expected }) =>
          expected !== undefined && 'ends' in expected ? [`${world} → ${expected.ends}`] : [],
        )
      console.log(`${state}, ${boot}: ${cells.join(' · ')}`)
    }
  const never = new Set(
    all.flatMap(({ expected }) => (expected && 'never' in expected ? [expected.never] : [])),
  )
  console.log(
    `recovery table: ${all.length} rows, ${boxes.length} shown, ${wrong} wrong, ${impossible} cannot be:`,
  )
  for (const reason of never) console.log(`  - ${reason}`)
}

test.run()
