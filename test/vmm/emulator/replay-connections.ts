import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { call, formatRequest, RawConnection } from './raw-client.ts'
import { compareResponse, eventNames, fill, loadRecording, type RecordedStep } from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, isEmulator, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

const SCENARIO = 'connections'
const PING = formatRequest('GET', '/api/v1/vmm.ping', null)
const CONFIG =
  '{"cpus": {"boot_vcpus": 1, "max_vcpus": 1}, "memory": {"size": 67108864}, "payload": {"kernel": "{runDir}/guest.elf", ' +
  '"cmdline": "mode=tick"}, "serial": {"mode": "File", "file": "{runDir}/serial.log"}, "console": {"mode": "Off"}}'

export function planConnections(tally: Tally): (() => Promise<void>)[] {
  const recording = loadRecording(SCENARIO)
  return [
    () =>
      inRunDirectory(async directory => {
        prepareFiles(directory)
        const args = [
          '--api-socket',
          `path=${directory}/api.sock`,
          '--event-monitor',
          `path=${directory}/events.json`,
        ]
        const vmm = new VmmProcess(directory, [...vmmCommand('none'), ...args, '-v'])
        const scene = new Scene(vmm)
        try {
          await vmm.ready()
          for (const step of recording.steps) {
            const what = `${SCENARIO}: ${step.note}`
            await tally.replay(what, () => scene.replay(step, what))
          }
          vmm.child.kill('SIGTERM')
          await tally.replay(`${SCENARIO}: events and exit`, async () => {
            assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
            assert.equal(vmm.eventNames(), eventNames(recording.events))
          })
        } finally {
          scene.close()
          await vmm.dispose()
        }
      }),
  ]
}

/** The connections that are open at a point of the scenario. */
class Scene {
  private readonly vmm: VmmProcess
  private kept: RawConnection | undefined
  private readonly crowd: RawConnection[] = []

  constructor(vmm: VmmProcess) {
    this.vmm = vmm
  }

  async replay(step: RecordedStep, what: string): Promise<void> {
    const note = step.note ?? ''
    if (note.startsWith('three pipelined')) await this.pipeline(step, what)
    else if (note.startsWith('connection ')) await this.crowdIn(step, what)
    else await this.ask(step, what, await this.setScene(note))
  }

  close(): void {
    for (const connection of this.crowd.splice(0)) connection.close()
    this.kept?.close()
    this.kept = undefined
  }

  /** Brings about what the note says; gives the connection to ask on. */
  private async setScene(note: string): Promise<RawConnection> {
    const { socket, directory } = this.vmm
    if (note === 'same connection after 5 s of idling') await delay(1000)
    if (note.startsWith('while another connection has sent half')) {
      this.close()
      const stalled = await RawConnection.open(socket)
      stalled.send(PING.slice(0, 20))
      this.crowd.push(stalled)
    }
    if (note === 'after closing them all') this.close()
    if (note === 'after a client disconnected in the middle of a body') {
      this.close()
      const gone = await RawConnection.open(socket)
      gone.send('PUT /api/v1/vm.create HTTP/1.1\r\nContent-Length: 500\r\n\r\n{"cpus"')
      gone.close()
    }
    if (note.startsWith('after a client sent a whole vm.create')) {
      this.close()
      const gone = await RawConnection.open(socket)
      gone.send(formatRequest('PUT', '/api/v1/vm.create', fill(CONFIG, directory)))
      await delay(100)
      gone.close()
      await waitUntil('the VM to be created', async () =>
        (await call(socket, 'GET', '/api/v1/vm.info')).status === 200 ? true : undefined,
      )
    }
    this.kept ??= await RawConnection.open(socket)
    return this.kept
  }

  private async ask(step: RecordedStep, what: string, connection: RawConnection): Promise<void> {
    const { method, path, body } = step.request ?? { method: '', path: '', body: null }
    connection.send(formatRequest(method, path, body))
    const response = await connection.read()
    assert.ok(response, `${what}: an answer`)
    const { directory, pid } = this.vmm
    compareResponse(response, step.response ?? {}, { directory, pid, what, emulator: isEmulator })
  }

  private async pipeline(step: RecordedStep, what: string): Promise<void> {
    const connection = this.kept ?? (await RawConnection.open(this.vmm.socket))
    connection.send(PING.repeat(3))
    for (let index = 0; index < 3; index += 1) {
      const response = await connection.read()
      assert.is(response?.statusLine, step.raw?.split('\r\n')[0], `${what}: answer ${index + 1}`)
    }
    assert.is(connection.pending, '', `${what}: no more answers`)
  }

  /** The recorder had closed its earlier connections before this; the eleventh is one too many. */
  private async crowdIn(step: RecordedStep, what: string): Promise<void> {
    if (step.note?.startsWith('connection 1 ')) this.close()
    const connection = await RawConnection.open(this.vmm.socket)
    this.crowd.push(connection)
    // An answer without a request: this one is turned away.
    if (step.statusLine !== 'HTTP/1.1 503') connection.send(PING)
    const response = await connection.read()
    assert.is(response?.statusLine, step.statusLine, `${what}: status line`)
    if (step.statusLine !== 'HTTP/1.1 503') return
    assert.is(response?.body, step.body, `${what}: body`)
    assert.is(response?.serverClosed, true, `${what}: closed`)
  }
}
