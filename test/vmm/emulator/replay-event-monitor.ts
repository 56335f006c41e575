import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { prepareFiles } from './prepare.ts'
import { call, RawConnection } from './raw-client.ts'
import { loadRecording } from './recording.ts'
import type { Tally } from './tally.ts'
import { inRunDirectory, VmmProcess, vmmCommand } from './vmm-process.ts'

const SCENARIO = 'event-monitor-raw'

/** The event file byte for byte, timestamps aside, of a guest that panics and powers off. */
export function planEventMonitor(tally: Tally): (() => Promise<void>)[] {
  const { rawText = '' } = loadRecording(SCENARIO)
  const replay = (directory: string) => async (): Promise<void> => {
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
      const config = {
        memory: { size: 67_108_864 },
        payload: { kernel: join(directory, 'guest.elf'), cmdline: 'mode=panic' },
        console: { mode: 'Off' },
        pvpanic: true,
      }
      await call(vmm.socket, 'PUT', '/api/v1/vm.create', JSON.stringify(config))
      await call(vmm.socket, 'PUT', '/api/v1/vm.boot')
      assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
      const text = readFileSync(join(directory, 'events.json'), 'utf8')
      assert.is(hideTimes(text), hideTimes(rawText))
      const times = vmm.events().map(({ timestamp }) => timestamp.secs + timestamp.nanos / 1e9)
      assert.equal(
        times,
        [...times].sort((a, b) => a - b),
        'times grow',
      )
      const gone = await RawConnection.open(vmm.socket).catch((error: NodeJS.ErrnoException) => error.code)
      assert.is(gone, 'ENOENT')
    } finally {
      await vmm.dispose()
    }
  }
  return [() => inRunDirectory(directory => tally.replay(SCENARIO, replay(directory)))]
}

function hideTimes(text: string): string {
  return text.replace(/"(secs|nanos)": \d+/g, '"$1": 0')
}
