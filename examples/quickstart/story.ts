import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxRuntime, type LedgerRecord } from 'boxledger'
import { readBoot } from './boot.ts'
import { startEngine } from './child-engine.ts'
import { pressPowerButton } from './power-button.ts'
import { isAlive, type Process, processesOf, processOf, vmmsOf } from './proc.ts'
import type { Report } from './report.ts'
import { printTimeline } from './timeline.ts'
import { until } from './until.ts'

export interface Story {
  readonly report: Report
  readonly home: string
  readonly signal: AbortSignal
}

/** How long each thing may take to be seen, in `ms`. */
const limit = 10_000
const shownLines = 6

/** Tells it step by step; throws at the first thing that is not seen. */
export async function tellStory(story: Story): Promise<void> {
  const { home, report, signal } = story
  const { id, vmm } = await bootInAnEngineThatDies(story)

  report.step('Open the home again: the new engine adopts the guest')
  await using runtime = await BoxRuntime.open({ home, onProgress: report.progress })
  const box = await runtime.get('hello')
  assert(box?.id === id, 'box hello is not in the ledger')
  const adopted = await until('the adoption', { limit, signal }, async () => {
    const info = await box.info()
    return !info.recovering && info
  })
  assert.equal(adopted.state, 'running')
  assert.equal(adopted.pid, vmm.pid)
  assert(isAlive(vmm) && vmmsOf(home).length === 1, 'it is not the same VMM, or not the only one')
  report.seen(`box hello is running, the same VMM (pid ${vmm.pid}, same start time), and no second one`)

  await runACommand(story, box)
  await killTheVmm(story, box, vmm)
  await startAndPowerOff(story, box)

  report.step('Remove the box')
  await runtime.remove('hello')
  assert(!existsSync(join(home, 'boxes', id)), 'files of the box are left')
  assert.equal((await runtime.listInfo()).length, 0)
  report.seen('its files are gone; its history stays')

  await readTheLedger(story, runtime)
}

async function bootInAnEngineThatDies({ report, home, signal }: Story) {
  report.step('Create the box hello and boot it, in an engine of its own')
  const engine = await startEngine(home, report, signal)
  const { id, pid, boot } = engine.box
  const vmm = aliveVmm(home, pid)
  report.seen(`VMM ${pid} lives; the guest said that it is ready after ${boot.ms} ms, on its console:`)
  for (const line of boot.console.slice(0, shownLines)) report.quote(line)

  report.step(`Kill that engine (pid ${engine.process.pid}) with SIGKILL`)
  await engine.kill()
  assert(!isAlive(engine.process), 'the engine lives')
  assert(isAlive(vmm), 'the VMM went with the engine')
  report.seen(`the engine is gone, VMM ${pid} lives on`)
  return { id, vmm }
}

async function runACommand({ report, signal }: Story, box: Box): Promise<void> {
  report.step('Run a command in that guest')
  const { exitCode, stdout } = await box.exec('uname', ['-a'], { signal })
  assert.equal(exitCode, 0)
  assert.match(stdout, /^Linux /)
  report.seen('uname -a ended with 0, and said:')
  report.quote(stdout.trimEnd())
}

async function killTheVmm({ report, home, signal }: Story, box: Box, vmm: Process): Promise<void> {
  report.step(`Kill the VMM (pid ${vmm.pid}) with SIGKILL`)
  process.kill(vmm.pid, 'SIGKILL')
  const info = await box.waitFor(({ state }) => state === 'crashed', { timeoutMs: limit, signal })
  assert.equal(info.ending?.cause, 'crash')
  await untilNothingRuns(home, signal)
  report.seen(`box hello is ${info.state}; no VMM and no guest is left running`)
}

async function startAndPowerOff({ report, home, signal }: Story, box: Box): Promise<void> {
  report.step('Start it again, and let the guest power off by itself')
  await box.start({ signal })
  const [up, boot] = [await box.info(), await readBoot(box)]
  const vmm = aliveVmm(home, up.pid ?? 0)
  report.seen(`VMM ${vmm.pid} lives, incarnation ${up.incarnation}; its guest was ready after ${boot.ms} ms`)
  report.progress("pressing the guest's power button over the VMM's socket, past the engine")
  await pressPowerButton(home, box.id, up.incarnation)
  const down = await box.wait({ signal: AbortSignal.any([signal, AbortSignal.timeout(limit)]) })
  assert.equal(down.state, 'stopped')
  assert.equal(down.ending?.cause, 'guest-poweroff')
  await untilNothingRuns(home, signal)
  report.seen(`box hello is stopped, cause guest-poweroff: no crash, and nobody had asked the engine`)
}

async function readTheLedger({ report }: Story, runtime: BoxRuntime): Promise<void> {
  report.step('Read the ledger of it all')
  const records: LedgerRecord[] = []
  for await (const record of runtime.events()) records.push(record)
  printTimeline(records, report)
  const verified = await runtime.verify({ replay: true })
  assert(verified.ok, `the ledger is damaged: ${JSON.stringify(verified.problems)}`)
  assert.equal(verified.records, records.length)
  report.seen(`ledger verified: ${verified.records} records`)
}

function aliveVmm(home: string, pid: number): Process {
  const found = processOf(pid)
  assert(found !== undefined, `there is no process ${pid}`)
  assert(
    vmmsOf(home).some(vmm => vmm.pid === pid),
    `process ${pid} is no VMM of this home`,
  )
  return found
}

/** Nothing but this process names the home any more: not the VMM, nor the QEMU of an emulated one. */
async function untilNothingRuns(home: string, signal: AbortSignal): Promise<void> {
  await until('the end of all processes', { limit, signal }, () => processesOf(home).length === 0)
}
