import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sumMemory } from '../config/vm-config.ts'
import type { BackendOptions, Guest, GuestRequest } from './backend.ts'
import { AGENT_PORT, FakeAgent } from './fake-agent.ts'
import { FakeGuest } from './fake-guest.ts'

/** No guest at all: a few lines on the serial port and the small guest's habits, at once and for free. */
export function startFake(request: GuestRequest, { powerButtonIgnored, silent }: BackendOptions): Guest {
  const guest = new FakeGuest({
    cmdline: request.config.payload?.cmdline ?? '',
    pvpanic: request.config.pvpanic,
    hasInitramfs: request.config.payload?.initramfs !== undefined,
    powerButtonIgnored,
    silent,
    print: text => request.serial.write(Buffer.from(text)),
    tell: request.tell,
  })
  request.serial.onInput(bytes => guest.hear(bytes.toString('latin1')))
  if (request.restoreFrom === undefined) guest.boot()
  else guest.restore(readTicks(request.restoreFrom))
  return toGuest(guest, request)
}

function toGuest(guest: FakeGuest, request: GuestRequest): Guest {
  return {
    pause: async () => guest.pause(),
    resume: async () => guest.resume(),
    pressPowerButton: async () => guest.pressPowerButton(),
    injectNmi: async () => guest.injectNmi(),
    cut: async () => guest.cut(),
    dial: async port => (port === AGENT_PORT && guest.isReady ? new FakeAgent() : undefined),
    save: async directory => {
      writeFileSync(join(directory, 'state.json'), JSON.stringify({ emulator: { ticks: guest.ticks } }))
      const memory = join(directory, 'memory-ranges')
      writeFileSync(memory, '', { flag: 'wx' })
      truncateSync(memory, sumMemory(request.config))
    },
  }
}

function readTicks(directory: string): number {
  const state: unknown = JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8'))
  const emulator = (state as { emulator?: { ticks?: unknown } }).emulator
  return typeof emulator?.ticks === 'number' ? emulator.ticks : 0
}
