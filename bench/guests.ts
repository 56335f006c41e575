import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Box, BoxRuntime } from 'boxledger'
import { connectGuest, type GuestChannel } from '../src/vmm/guest/channel.ts'
import { type ResolvedImage, resolveImage } from '../src/vmm/images/resolve.ts'
import { bootPlainQemu, resumePlainQemu, savePlainQemu } from './plain-qemu.ts'
import { medianOf } from './raw.ts'

/** Medians of one run, in `ms`, with those of a peer beside them. */
export interface GuestFigures {
  /** to a guest that answers */
  readonly start: number
  /** QEMU by hand, to the same */
  readonly plainStart: number
  /** of a start, what the engine takes before there is a VMM */
  readonly engine: number
  /** and what the VMM takes, which here is the emulator, before the guest boots */
  readonly vmm: number
  /** from a snapshot */
  readonly restore: number
  /** from a template, as another box each time */
  readonly warm: number
  /** QEMU by hand, from a guest that it has saved */
  readonly plainResume: number
  /** a command that does nothing, recorded twice */
  readonly exec: number
  /** the same over the bare channel, recorded nowhere */
  readonly plainExec: number
  /** a file into the guest, MiB/s */
  readonly copy: number
  /** the same bytes over the bare channel, into nothing */
  readonly plainCopy: number
}

export const emulator = [
  process.execPath,
  fileURLToPath(new URL('../src/vmm/emulator/main.js', import.meta.url)),
]
const rounds = 3
const warmRounds = 9
const executions = 40
const copyBytes = 32 << 20

export async function measureGuests(directory: string): Promise<GuestFigures> {
  const home = join(directory, 'guests')
  const runtime = await BoxRuntime.open({ home, vmm: { binary: emulator } })
  try {
    const box = await runtime.create({ name: 'guest' })
    await box.start()
    const image = await resolveImage(undefined, {
      dir: join(home, 'images'),
      disksDir: join(directory, 'disks'),
      name: 'guest',
    })
    const run = join(home, 'boxes', box.id, '1', 'v.sock')
    const channel = await connectGuest(run, new AbortController().signal)
    const exec = await medianOfMany(executions, () => box.exec('/bin/true'))
    const plainExec = await medianOfMany(executions, () => runPlain(channel, ['/bin/true']))
    const { copy, plainCopy } = await measureCopies(directory, box, channel)
    channel.close()
    await box.snapshots.create('up')
    const starts = await measureStarts(directory, box, image)
    await box.stop({ mode: 'kill' })
    const warmStarts = await measureWarmStarts(directory, runtime, image)
    return { ...starts, ...warmStarts, exec, plainExec, copy, plainCopy }
  } finally {
    if (await runtime.exists('guest')) await runtime.remove('guest', { force: true })
    await runtime.close()
  }
}

async function measureStarts(directory: string, box: Box, image: ResolvedImage) {
  const [start, plainStart, engine, vmm, restore] = [[], [], [], [], []] as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ]
  for (let n = 0; n < rounds; n += 1) {
    plainStart.push(await bootPlainQemu(directory, image))
    await box.stop({ mode: 'kill' })
    start.push(await timeOf(() => box.start()))
    const stages = (await box.metrics()).start?.stages ?? {}
    engine.push((stages.queued ?? 0) + (stages.preparing ?? 0))
    vmm.push(
      (stages.spawning ?? 0) + (stages.connecting ?? 0) + (stages.creating ?? 0) + (stages.booting ?? 0),
    )
    await box.stop({ mode: 'kill' })
    restore.push(await timeOf(() => box.snapshots.restore('up')))
  }
  return {
    start: medianOf(start),
    plainStart: medianOf(plainStart),
    engine: medianOf(engine),
    vmm: medianOf(vmm),
    restore: medianOf(restore),
  }
}

async function measureWarmStarts(directory: string, runtime: BoxRuntime, image: ResolvedImage) {
  await runtime.images.template('builtin')
  const saved = await savePlainQemu(directory, image)
  const [warm, plainResume] = [[], []] as [number[], number[]]
  for (let n = 0; n < warmRounds; n += 1) {
    plainResume.push(await resumePlainQemu(directory, image, saved))
    const box = await runtime.create({})
    warm.push(await timeOf(() => box.start()))
    await box.remove({ force: true })
  }
  // Who measures other starts in this home measures boots.
  await runtime.images.removeTemplates('builtin')
  return { warm: medianOf(warm), plainResume: medianOf(plainResume) }
}

async function measureCopies(directory: string, box: Box, channel: GuestChannel) {
  const file = join(directory, 'copied')
  const bytes = Buffer.alloc(copyBytes, 'x')
  writeFileSync(file, bytes)
  const ms = await timeOf(() => box.copyIn(file, '/tmp/copied'))
  const plainMs = await timeOf(() => runPlain(channel, ['/bin/sh', '-c', 'cat >/dev/null'], bytes))
  const rate = (ms: number) => copyBytes / (1 << 20) / (ms / 1_000)
  return { copy: rate(ms), plainCopy: rate(plainMs) }
}

async function runPlain(channel: GuestChannel, args: readonly string[], input?: Buffer): Promise<void> {
  const program = channel.run({ args, env: {}, workdir: '/', user: '' })
  program.stdout.discard()
  program.stderr.discard()
  program.stdin.end(input)
  await program.ended
}

async function medianOfMany(count: number, work: () => PromiseLike<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < count; n += 1) times.push(await timeOf(work))
  return medianOf(times)
}

export async function timeOf(work: () => PromiseLike<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}
