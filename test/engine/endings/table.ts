import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Box, BoxError, type BoxInfo, type BoxOptions, type BoxRuntime } from 'boxledger'
import { askVmm } from '../../support/ask-vmm.ts'
import { smallGuest } from '../../support/vmms.ts'

export type Vmm = 'none' | 'qemu' | 'cloud-hypervisor'

export interface Place {
  readonly runtime: BoxRuntime
  readonly home: string
  readonly vmm: Vmm
}

export interface Row {
  readonly ending: string
  /** makes a box, ends it, and gives it as it then is */
  readonly make: (place: Place) => Promise<BoxInfo>
  /** state, cause, and code where a start has failed */
  readonly expected: string | Readonly<Partial<Record<Vmm, string>>>
  /** what else holds */
  readonly also?: (info: BoxInfo) => boolean
  /** why a VMM cannot show it */
  readonly cannot?: Readonly<Partial<Record<Vmm, string>>>
}

async function started({ runtime }: Place, mode: string, options: BoxOptions = {}): Promise<Box> {
  const box = await runtime.create({ image: smallGuest(mode), memoryMib: 64, stopTimeoutMs: 300, ...options })
  await box.start()
  return box
}

const down = (box: Box) => box.waitFor('down', { timeoutMs: 40_000 })
const pidOf = async (box: Box) => (await box.info()).pid ?? 0
const runDir = ({ home }: Place, box: Box) => join(home, 'boxes', box.id, '1')

/** A box that is up, ended by what is done to it from outside. */
const ended =
  (mode: string, end: (box: Box, place: Place) => Promise<unknown>): Row['make'] =>
  async place => {
    const box = await started(place, mode)
    await end(box, place)
    return await down(box)
  }

const signalled = (signal: NodeJS.Signals) =>
  ended('tick', async box => process.kill(await pidOf(box), signal))

/** A guest that ends by itself, perhaps before its start is answered. */
const byItself =
  (mode: string): Row['make'] =>
  async place => {
    const box = await place.runtime.create({ image: smallGuest(mode), memoryMib: 64 })
    await box.start().catch(error => {
      if (!BoxError.is(error)) throw error
    })
    return await down(box)
  }

/** A start that fails. */
const failing =
  (options: (place: Place) => BoxOptions): Row['make'] =>
  async place => {
    const box = await place.runtime.create({ memoryMib: 64, image: smallGuest('idle'), ...options(place) })
    const error: unknown = await box.start().then(
      () => new Error('It has started'),
      error => error,
    )
    const info = await down(box)
    if (!BoxError.is(error) || error.code !== info.ending?.code) throw error
    return info
  }

const file = ({ home }: Place, name: string, text: string) => {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}
const sectors = 'disk '.repeat(1024)

/** The innermost of the VMM's own messages. */
const says = (message: RegExp) => (info: BoxInfo) => message.test(info.ending?.message ?? '')
const fault = (spec: string) => ({
  image: { ...smallGuest('idle'), cmdline: `mode=idle boxledger.fault=${spec}` },
})
const noFaults = { 'cloud-hypervisor': 'the real one has no faults to order' }

const failed = 'failed boot-failed BOOT_FAILED'

export const rows: readonly Row[] = [
  { ending: 'the guest powers off', make: byItself('off'), expected: 'stopped guest-poweroff' },
  {
    ending: 'a graceful stop',
    make: ended('tick', box => box.stop()),
    expected: 'stopped requested',
    also: ({ ending }) => ending?.vmm?.exitCode === 0,
  },
  {
    ending: 'a forced stop',
    make: ended('tick', box => box.stop({ mode: 'force' })),
    expected: 'stopped requested',
  },
  {
    ending: 'a stop by kill',
    make: ended('tick', box => box.stop({ mode: 'kill' })),
    expected: 'stopped requested',
    also: ({ ending }) => ending?.vmm?.signal === 'SIGKILL',
  },
  {
    ending: 'a reset: no ending, the VM reboots in place',
    async make(place) {
      const box = await started(place, 'reset')
      const pid = await pidOf(box)
      const info = await box.waitFor(({ reboots }) => reboots === 1, { timeoutMs: 40_000 })
      if (info.pid !== pid || info.restarts !== 0) throw new Error('It is another VMM')
      await box.stop({ mode: 'kill' })
      return info
    },
    expected: 'running',
  },
  {
    ending: 'a reboot loop',
    make: byItself('reset'),
    expected: 'crashed reboot-loop',
    also: ({ reboots, restarts }) => reboots >= 5 && restarts === 0,
  },
  { ending: 'a panic, told by pvpanic', make: byItself('panic'), expected: 'crashed guest-panic' },
  {
    ending: 'a triple fault',
    make: byItself('triple'),
    expected: {
      none: 'crashed vcpu-error',
      qemu: 'crashed reboot-loop',
      'cloud-hypervisor': 'crashed vcpu-error',
    },
  },
  {
    ending: 'a virtual CPU fails',
    make: ended('tick', async (_, place) => kill(qemuOf(place))),
    expected: 'crashed vcpu-error',
    cannot: {
      none: 'it has no processor; the triple fault above leaves the same trace',
      'cloud-hypervisor': 'nothing but the guest makes its processor fail; see the triple fault',
    },
  },
  {
    ending: 'kill -9 of the VMM',
    make: signalled('SIGKILL'),
    expected: 'crashed crash',
    also: ({ ending }) => ending?.vmm?.signal === 'SIGKILL',
  },
  { ending: 'SIGTERM by somebody else', make: signalled('SIGTERM'), expected: 'stopped external' },
  {
    ending: 'vmm.shutdown by somebody else',
    make: ended('tick', (box, place) => askVmm(runDir(place, box), 'vmm.shutdown')),
    expected: 'stopped external',
  },
  {
    ending: 'SIGTERM to many at once',
    async make(place) {
      const boxes = await Promise.all(
        Array.from({ length: place.vmm === 'qemu' ? 3 : 12 }, () => started(place, 'tick')),
      )
      for (const pid of await Promise.all(boxes.map(pidOf))) process.kill(pid, 'SIGTERM')
      const infos = await Promise.all(boxes.map(down))
      return infos.find(({ ending }) => ending?.cause !== 'external') ?? (infos[0] as BoxInfo)
    },
    expected: 'stopped external',
  },
  {
    ending: 'kill -9 of the VMM before the guest is ready',
    async make(place) {
      const image = smallGuest('idle')
      const box = await place.runtime.create({ image, memoryMib: 64, ready: { console: 'never said' } })
      const start = box.start().catch(error => error)
      const { pid } = await box.waitFor(({ stage }) => stage === 'waiting', { timeoutMs: 30_000 })
      kill(pid ?? 0)
      if (!BoxError.is(await start, 'VMM_GONE')) throw await start
      return await down(box)
    },
    expected: 'failed boot-failed VMM_GONE',
  },
  {
    ending: 'a guest that powers off before it is ready',
    async make({ runtime }) {
      const image = smallGuest('off')
      const box = await runtime.create({ image, memoryMib: 64, ready: { console: 'never said' } })
      await box.start() // counts as done
      return await down(box)
    },
    expected: 'stopped guest-poweroff',
  },
  {
    ending: 'the VMM dies at vm.boot',
    make: failing(() => fault('die:vm.boot')),
    expected: failed,
    cannot: noFaults,
  },
  {
    ending: 'vm.boot is answered with an error',
    make: failing(() => fault('answer:vm.boot,status=500')),
    expected: failed,
    cannot: noFaults,
  },
  {
    ending: 'kernel missing',
    make: failing(() => ({ image: { kernel: '/nowhere/vmlinux' } })),
    expected: failed,
    also: says(/No such file/),
  },
  {
    ending: 'kernel is no kernel',
    make: failing(place => ({ image: { kernel: file(place, 'no-kernel', 'not a kernel\n'.repeat(100)) } })),
    expected: failed,
    also: says(/kernel/i),
  },
  {
    ending: 'kernel is a directory',
    make: failing(({ home }) => ({ image: { kernel: home } })),
    expected: failed,
    also: says(/./),
  },
  {
    ending: 'initramfs missing',
    make: failing(() => ({ image: { ...smallGuest('idle'), initramfs: '/nowhere/initramfs' } })),
    expected: failed,
    also: says(/No such file/),
  },
  {
    ending: 'disk missing',
    make: failing(() => ({ disks: [{ path: '/nowhere/disk' }] })),
    expected: failed,
    also: says(/No such file/),
  },
  {
    ending: 'disk is a directory',
    make: failing(({ home }) => ({ disks: [{ path: home }] })),
    expected: failed,
    also: says(/directory/),
  },
  {
    ending: 'disk is not of its format',
    make: failing(place => ({ disks: [{ path: file(place, 'raw', sectors), format: 'qcow2' }] })),
    expected: failed,
    also: says(/does not match|format/i),
  },
  {
    ending: 'one file as two disks',
    make: failing(place => {
      const path = file(place, 'twice', sectors)
      return { disks: [{ path }, { path }] }
    }),
    expected: failed,
    also: says(/lock/),
  },
]

export const kill = (pid: number): void => {
  process.kill(pid, 'SIGKILL')
}

/** The QEMU of the box whose home this is: the one that the emulator runs for its guest. */
function qemuOf({ home }: Place): number {
  const found = readdirSync('/proc').find(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      const [program = '', ...words] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      return program.includes('qemu-system') && words.some(word => word.includes(home))
    } catch {
      return false // it has ended
    }
  })
  if (found === undefined) throw new Error('There is no QEMU')
  return Number(found)
}
