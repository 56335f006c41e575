import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { call, RawConnection } from './raw-client.ts'
import { compareResponse, eventNames, fill, loadRecording, type RecordedCase } from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, isEmulator, VmmProcess, vmmCommand } from './vmm-process.ts'

const SCENARIO = 'create-and-boot-configs'

/** One task per configuration: each has a process of its own. */
export function planConfigs(tally: Tally): (() => Promise<void>)[] {
  return loadRecording(SCENARIO).cases.map(recorded => async () => {
    const label = `${SCENARIO}: ${recorded.label}`
    await inRunDirectory(directory => replayCase(directory, recorded, label, tally))
  })
}

async function replayCase(
  directory: string,
  recorded: RecordedCase,
  label: string,
  tally: Tally,
): Promise<void> {
  prepareFiles(directory)
  if (recorded.label === 'vsock socket path already exists')
    closeSync(openSync(join(directory, 'v.sock'), 'w'))
  const args = [
    '--api-socket',
    `path=${directory}/api.sock`,
    '--event-monitor',
    `path=${directory}/events.json`,
  ]
  const vmm = new VmmProcess(directory, [...vmmCommand('none'), ...args, '-v'])
  try {
    await vmm.ready()
    for (const [index, step] of recorded.steps.entries()) {
      const { method, path, body } = step.request ?? { method: '', path: '', body: null }
      const what = `${label}: ${index + 1} ${method} ${path}`
      await tally.replay(what, async () => {
        if (step.response?.recvError !== undefined) {
          await vmm.waitForEnd()
          const refused = await RawConnection.open(vmm.socket).then(
            () => false,
            () => true,
          )
          assert.ok(refused, `${what}: nobody answers any more`)
          return
        }
        const response = await call(
          vmm.socket,
          method,
          path,
          body === null ? null : fill(body, directory),
          step.response?.serverClosed,
        )
        compareResponse(response, step.response ?? {}, {
          directory,
          pid: vmm.pid,
          what,
          emulator: isEmulator,
          request: body,
        })
      })
    }
    await tally.replay(`${label}: events`, async () => {
      assert.equal(vmm.eventNames(), eventNames(recorded.events ?? []), `${label}: events`)
    })
  } finally {
    await vmm.dispose()
  }
}
