import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'
import { medianOf } from './raw.ts'

export interface Opening {
  readonly boxes: number
  readonly live: number
  /** from the call of `open` to its answer, in a process of its own, in `ms` */
  readonly openMs: number
  /** of a look-up by name in the owner, in `µs` */
  readonly lookupUs: number
}

const emulator = [
  process.execPath,
  fileURLToPath(new URL('../src/vmm/emulator/main.js', import.meta.url)),
  '--backend',
  'none',
]
const kernel = fileURLToPath(new URL('../../test/fixtures/test-guest/guest.elf', import.meta.url))

export async function measureOpening(home: string, boxes: number, live: number): Promise<Opening> {
  const filling = await BoxRuntime.open({ home, durability: 'process', vmm: { binary: emulator } })
  const names = Array.from({ length: boxes }, (_, n) => `box-${n}`)
  const image = { kernel, cmdline: 'mode=idle' }
  for (let from = 0; from < boxes; from += 1_000)
    await Promise.all(names.slice(from, from + 1_000).map(name => filling.create({ name, image })))
  for (const name of names.slice(0, live)) await (await filling.get(name))?.start()
  await filling.close()

  const opened: number[] = []
  for (let n = 0; n < 5; n += 1) opened.push(await openInProcess(home))

  const runtime = await BoxRuntime.open({ home, vmm: { binary: emulator } })
  const lookups = 100_000
  const began = performance.now()
  for (let n = 0; n < lookups; n += 1) await runtime.get(names[(n * 7919) % boxes] as string)
  const lookupUs = ((performance.now() - began) * 1_000) / lookups
  for (const name of names.slice(0, live)) await runtime.remove(name, { force: true })
  await runtime.close()
  return { boxes, live, openMs: medianOf(opened), lookupUs }
}

/** A new process each time, as after a restart. */
async function openInProcess(home: string): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./open-home.js', import.meta.url)), home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`Opening ended with ${code}`)
  return Number(text)
}
