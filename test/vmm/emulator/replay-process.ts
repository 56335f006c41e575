import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { call, formatRequest, RawConnection } from './raw-client.ts'
import {
  compareResponse,
  eventNames,
  fill,
  loadRecording,
  type RecordedCase,
  type RecordedFile,
  type RecordedStep,
} from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, isEmulator, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

const SCENARIO = 'process-lifecycle'

/** One task per case. Each step counts, and each case's end: exit, events, files left, serial output. */
export function planProcessLifecycle(tally: Tally): (() => Promise<void>)[] {
  return loadRecording(SCENARIO).cases.map(
    recorded => () =>
      inRunDirectory(async directory => {
        prepareFiles(directory)
        if (recorded.label.startsWith('a plain file is in the way')) {
          writeFileSync(join(directory, 'api.sock'), 'in the way')
        }
        writeFileSync(join(directory, 'junk'), 'x'.repeat(5000))
        const prepared = readdirSync(directory)
        const play = new Play(directory, recorded)
        try {
          for (const [index, step] of recorded.steps.entries()) {
            const call = step.request === undefined ? '' : `${step.request.method} ${step.request.path}`
            const what = `${SCENARIO}: ${recorded.label}: ${index + 1} ${call}${step.note ?? ''}`
            await tally.replay(what, () => play.replay(step, what))
          }
          const what = `${SCENARIO}: ${recorded.label}: end`
          await tally.replay(what, () => play.compareEnd(what, prepared))
        } finally {
          await play.close()
        }
      }),
  )
}

/** One case: a process, or two one after the other. */
class Play {
  private readonly directory: string
  private readonly recorded: RecordedCase
  private vmm: VmmProcess

  constructor(directory: string, recorded: RecordedCase) {
    this.directory = directory
    this.recorded = recorded
    this.vmm = this.start()
  }

  async close(): Promise<void> {
    await this.vmm.dispose()
  }

  async replay(step: RecordedStep, what: string): Promise<void> {
    await this.setScene(step)
    if (step.request === undefined) return
    const { method, path, body } = step.request
    const recorded = step.response ?? {}
    if (recorded.connectError !== undefined) {
      const code = recorded.connectError === 'Connection refused' ? 'ECONNREFUSED' : 'ENOENT'
      await this.vmm.ended
      await assertRejects(() => RawConnection.open(this.vmm.socket), code, what)
      return
    }
    await this.vmm.ready()
    if (recorded.timeoutAfterMs !== undefined) {
      await this.expectSilence(what)
      return
    }
    const filled = body === null ? null : fill(body, this.directory)
    const response = await call(this.vmm.socket, method, path, filled, recorded.serverClosed)
    const { pid, directory } = this.vmm
    compareResponse(response, recorded, { directory, pid, what, emulator: isEmulator, request: body })
  }

  async compareEnd(what: string, prepared: readonly string[]): Promise<void> {
    const { recorded, vmm } = this
    if (recorded.label.startsWith('a second process')) await this.startSecond(what)
    await this.bringEnd()
    assert.equal(await vmm.waitForEnd(), recorded.exit, `${what}: exit`)
    compareEvents(vmm.eventNames(), eventNames(recorded.events ?? []), recorded.label, what)
    compareFiles(this.directory, recorded.filesLeft ?? [], prepared, what)
    compareSerial(this.directory, recorded, what)
    if (recorded.stdout != null) assert.is(vmm.stdout, recorded.stdout, `${what}: stdout`)
    // There the messages are the second process's, which has been looked at.
    if (!recorded.label.startsWith('a second process'))
      compareErrors(vmm.stderr, recorded, this.directory, what)
  }

  private start(name = 'out'): VmmProcess {
    const args = this.recorded.args.map(arg => fill(arg, this.directory))
    // No argument at all means none of ours either.
    const command = args.length === 0 && isEmulator ? vmmCommand('none').slice(0, -2) : vmmCommand('none')
    return new VmmProcess(this.directory, [...command, ...args], name)
  }

  /** What the recorder did before this step; the labels and notes say it. */
  private async setScene({ note = '', request }: RecordedStep): Promise<void> {
    const { vmm, recorded } = this
    const signal = /SIG[A-Z0-9]+/.exec(note)?.[0]
    if (
      note === 'boot again' ||
      (request?.path === '/api/v1/vm.info' && recorded.label.includes('--no-shutdown'))
    ) {
      await this.waitForState('Created')
    }
    if (note.startsWith('the guest has no IDT')) await delay(0)
    if (request?.path === '/api/v1/vm.info' && recorded.label.includes('vm.nmi')) {
      await waitUntil('the reboot', () => vmm.eventNames().includes('vm.rebooted') || undefined)
    }
    if (request?.path === '/api/v1/vm.info' && recorded.label.startsWith('guest resets itself')) {
      await waitUntil(
        'several reboots',
        () => vmm.eventNames().filter(name => name === 'vm.rebooted').length >= 3 || undefined,
      )
    }
    if (note === 'after SIGKILL') {
      vmm.child.kill('SIGKILL')
      await vmm.ended
    }
    if (note.startsWith('a new process started')) this.vmm = this.start('again')
    if (note.startsWith('process stopped with SIGSTOP')) {
      await vmm.ready()
      process.kill(vmm.pid, 'SIGSTOP')
      // All of its threads, which takes the kernel a moment.
      await waitUntil(
        'the stop',
        () => / T /.test(readFileSync(`/proc/${vmm.pid}/stat`, 'utf8')) || undefined,
      )
    }
    if (note === 'after SIGCONT') process.kill(vmm.pid, 'SIGCONT')
    if (signal === 'SIGPIPE') {
      vmm.child.kill('SIGPIPE')
      await delay(200)
    }
    if (note === 'still running') await vmm.ready()
  }

  /** Ends the process as the label says; by itself, where it says nothing. */
  private async bringEnd(): Promise<void> {
    const { recorded, vmm } = this
    const named = /^(SIG(?:TERM|INT|HUP|QUIT|USR1))/.exec(recorded.label)?.[1] as NodeJS.Signals | undefined
    const stopsByHand =
      /^(SIGPIPE|SIGSTOP|a second|a plain|--api-socket given|guest triple-faults)|then SIGTERM/
    if (named === undefined && !stopsByHand.test(recorded.label)) return
    if (vmm.ending === undefined) await vmm.ready()
    if (recorded.label.includes('then SIGTERM')) await this.waitForState('Created')
    vmm.child.kill(named ?? 'SIGTERM')
  }

  private async waitForState(state: string): Promise<void> {
    await this.vmm.ready()
    await waitUntil(`state ${state}`, async () => {
      const { body } = await call(this.vmm.socket, 'GET', '/api/v1/vm.info')
      return body.includes(`"state":"${state}"`) || undefined
    })
  }

  private async expectSilence(what: string): Promise<void> {
    const connection = await RawConnection.open(this.vmm.socket)
    connection.send(formatRequest('GET', '/api/v1/vmm.ping', null))
    assert.is(await connection.read(300), undefined, `${what}: no answer`)
    connection.close()
  }

  private async startSecond(what: string): Promise<void> {
    const args = ['--api-socket', `path=${this.vmm.socket}`]
    const second = new VmmProcess(this.directory, [...vmmCommand('none'), ...args], 'second')
    try {
      assert.equal(await second.waitForEnd(), { code: 1, signal: null }, `${what}: the second process`)
      compareErrors(second.stderr, this.recorded, this.directory, what)
    } finally {
      await second.dispose()
    }
  }
}

function compareEvents(
  actual: readonly string[],
  expected: readonly string[],
  label: string,
  what: string,
): void {
  // How many times a guest resets itself in the time is chance.
  const fold = (names: readonly string[]): string =>
    names.join(' ').replace(/(vm\.rebooting vm\.rebooted ?)+/g, 'reboots ')
  if (label.startsWith('guest resets itself')) assert.is(fold(actual), fold(expected), `${what}: events`)
  else assert.equal(actual, expected, `${what}: events`)
}

function compareFiles(
  directory: string,
  expected: readonly RecordedFile[],
  prepared: readonly string[],
  what: string,
): void {
  const ours = /\.(err|std)$/
  const left = readdirSync(directory)
    .filter(name => !ours.test(name) && (!prepared.includes(name) || name === 'api.sock'))
    .sort()
    .map(name => {
      const { mode } = statSync(join(directory, name))
      const type = (mode & 0o170000) === 0o140000 ? 'socket' : 'file'
      return `${name} ${type} 0o${(mode & 0o777).toString(8)}`
    })
  const wanted = expected
    .filter(({ path }) => !path.endsWith('/junk'))
    .map(({ path, type, mode }) => `${path.replace('{runDir}/', '')} ${type} ${mode}`)
    .sort()
  assert.equal(left, wanted, `${what}: files left`)
}

function compareSerial(directory: string, { serial }: RecordedCase, what: string): void {
  const file = join(directory, 'serial.log')
  if (serial == null) {
    assert.is(existsSync(file), false, `${what}: no serial file`)
    return
  }
  const actual = readFileSync(file, 'utf8')
  // A guest that ticks or resets itself has printed more or less when its end comes.
  const timed = serial.includes('mode=tick') || serial.includes('mode=reset')
  const same = timed ? actual.startsWith(serial) || serial.startsWith(actual) : actual === serial
  assert.ok(same, `${what}: serial output ${JSON.stringify(actual)}, recorded ${JSON.stringify(serial)}`)
}

/** The messages of a failed start; the rest of the log is the program's own. */
function compareErrors(
  stderr: string,
  { stderrTail = [] }: RecordedCase,
  directory: string,
  what: string,
): void {
  const telling = /^(Error: |error: | {2}\d+: |VCPU generated error)/
  for (const line of stderrTail.filter(each => telling.test(each))) {
    const expected = fill(line, directory)
    assert.ok(stderr.includes(expected), `${what}: standard error has ${expected}\n${stderr}`)
  }
}

async function assertRejects(act: () => Promise<unknown>, code: string, what: string): Promise<void> {
  let seen: unknown
  try {
    await act()
  } catch (error) {
    seen = (error as NodeJS.ErrnoException).code
  }
  assert.is(seen, code, `${what}: connect error`)
}
