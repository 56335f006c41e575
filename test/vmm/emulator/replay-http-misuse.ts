import { setTimeout as delay } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { formatRequest, RawConnection } from './raw-client.ts'
import { compareResponse, eventNames, loadRecording, type RecordedStep } from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, isEmulator, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

const SCENARIO = 'http-misuse'

/** All steps against one process, a connection each; they build on one another. */
export function planHttpMisuse(tally: Tally): (() => Promise<void>)[] {
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
        try {
          await vmm.ready()
          for (const step of recording.steps) {
            const what = `${SCENARIO}: ${step.note}`
            await tally.replay(what, () => replayStep(vmm, step, what))
          }
          vmm.child.kill('SIGTERM')
          // The real one had to be killed in the end: a client that did not read its answers had stalled it.
          if (isEmulator) await vmm.waitForEnd()
          else await delay(1000)
          await tally.replay(`${SCENARIO}: events`, async () => {
            assert.equal(vmm.eventNames(), eventNames(recording.events))
          })
        } finally {
          await vmm.dispose()
        }
      }),
  ]
}

async function replayStep(vmm: VmmProcess, step: RecordedStep, what: string): Promise<void> {
  const recorded = step.response ?? {}
  const connection = await RawConnection.open(vmm.socket)
  try {
    connection.send(toBytes(step))
    if (recorded.timeoutAfterMs !== undefined) {
      assert.is(await connection.read(300), undefined, `${what}: no answer`)
      assert.is(connection.closed, false, `${what}: left open`)
      return
    }
    const response = await connection.read()
    assert.ok(response, `${what}: an answer`)
    compareResponse(response, recorded, {
      directory: vmm.directory,
      pid: vmm.pid,
      what,
      emulator: isEmulator,
    })
    if (recorded.extraStatusLines !== undefined) await compareExtra(connection, recorded, what)
  } finally {
    connection.close()
  }
}

/**
 * More answers to the rest of what was sent. How many the recorder saw depends on how long it looked: at least so
 * many must come, and they must begin the same.
 */
async function compareExtra(
  connection: RawConnection,
  { extraStatusLines = 0, extraBytesStart = '' }: NonNullable<RecordedStep['response']>,
  what: string,
): Promise<void> {
  const count = (): number => connection.pending.split('HTTP/1.1 400 ').length - 1
  await waitUntil(`${what}: ${extraStatusLines} more answers`, () => count() >= extraStatusLines || undefined)
  assert.is(connection.pending.slice(0, extraBytesStart.length), extraBytesStart, `${what}: the next answer`)
}

/** The recorded bytes; long requests were recorded in words. */
function toBytes({ request, requestBytes = '' }: RecordedStep): Buffer | string {
  if (request !== undefined) return formatRequest(request.method, request.path, request.body)
  const body = /body of|body \{/.test(requestBytes)
    ? /Content-Length: (\d+)/.exec(requestBytes)?.[1]
    : undefined
  if (body !== undefined) {
    return formatRequest('PUT', '/api/v1/vm.create', `{"x":"${'a'.repeat(Number(body) - 8)}"}`)
  }
  const header = /^GET vmm.ping with a header X-Long of (\d+) characters/.exec(requestBytes)?.[1]
  if (header !== undefined) {
    return `GET /api/v1/vmm.ping HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(Number(header))}\r\n\r\n`
  }
  if (requestBytes.startsWith('GET /api/v1/ and 2000')) {
    return `GET /api/v1/${'a'.repeat(2000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  }
  if (requestBytes.startsWith('\\x00')) return Buffer.from('\x00\x01\x02\xff\r\n\r\n', 'latin1')
  return requestBytes
}
