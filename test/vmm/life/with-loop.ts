import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BoxSpec } from 'boxledger/machines'
import { readConsole } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { Client } from '../../../src/vmm/cloud-hypervisor/client.ts'
import { eventually } from '../../support/eventually.ts'
import { withTempDir } from '../../support/tmp.ts'
import { Loop, type LoopOptions } from './loop.ts'
import { descriptorsOf, processesWith } from './processes.ts'

const kernel = fileURLToPath(new URL('../../../../test/fixtures/test-guest/guest.elf', import.meta.url))

/** The small guest; `mode` says what it does. */
export const guest = (mode: string): Pick<BoxSpec, 'image'> => ({
  image: { kernel, cmdline: `mode=${mode}` },
})

/** A box in a home of its own; afterwards no process and no open file of it may be left. */
export async function withLoop(
  options: Omit<LoopOptions, 'home'>,
  body: (loop: Loop) => Promise<void>,
): Promise<void> {
  await withTempDir(async home => {
    const loop = new Loop({ ...options, home })
    try {
      await body(loop)
    } finally {
      loop.die()
      for (const pid of processesWith(home)) process.kill(pid, 'SIGKILL')
      await eventually(() => processesWith(home).length === 0, { what: 'the end of what was left' })
    }
    await eventually(() => !descriptorsOf('self').some(name => name.includes(home)), { what: 'closed files' })
    assert.is(loop.count('vmm.exited') <= loop.state.context.incarnation, true, 'each exit is told once')
  })
}

/** Somebody else with a client at the VMM's socket. */
export async function withClient(loop: Loop, body: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(join(runDir(loop), 'api.sock'))
  try {
    await body(client)
  } finally {
    client.close()
  }
}

/** Resolves when the guest has printed a word. */
export async function saidOnConsole(loop: Loop, word: string): Promise<string> {
  const signal = AbortSignal.timeout(20_000)
  let text = ''
  for await (const bytes of readConsole({ home: loop.options.home, box: loop.box, follow: true, signal })) {
    text += Buffer.from(bytes).toString('latin1')
    if (text.includes(word)) return text
  }
  throw new Error(`The guest did not say ${word}, but: ${text.slice(-2000)}`)
}

export function runDir(loop: Loop): string {
  return join(loop.options.home, 'boxes', loop.box, String(loop.state.context.incarnation))
}
