// @timeout 120
import { once } from 'node:events'
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { formatQemuArguments } from '../../../src/vmm/emulator/backend/qemu-arguments.ts'
import { spawnQemu } from '../../../src/vmm/emulator/backend/qemu-process.ts'
import { Qmp } from '../../../src/vmm/emulator/backend/qmp.ts'
import type { VmConfig } from '../../../src/vmm/emulator/config/vm-config.ts'
import { Log } from '../../../src/vmm/emulator/log.ts'
import { needsQemu } from '../../support/requires.ts'
import { suite } from '../../support/suite.ts'
import { call } from './raw-client.ts'
import { SMALL_GUEST } from './recording.ts'
import { inRunDirectory, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

const test = suite('emulator: the small guest under QEMU')

const BOOT_MS = 30_000

needsQemu(test, 'a guest prints, is paused and goes on', () =>
  withVmm([], async vmm => {
    await boot(vmm, 'mode=tick')
    await waitForTicks(vmm, 2)
    await put(vmm, 'vm.pause')
    assert.is(await readState(vmm), 'Paused')
    const paused = readTicks(vmm)
    await put(vmm, 'vm.resume')
    await waitForTicks(vmm, paused + 2)
    assert.is(await readState(vmm), 'Running')
    await put(vmm, 'vmm.shutdown', 200)
    assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
    assert.equal(vmm.eventNames().slice(-7), [
      'vm.pausing',
      'vm.paused',
      'vm.resuming',
      'vm.resumed',
      'vm.shutdown',
      'vm.deleted',
      'vmm.shutdown',
    ])
    assert.equal(listQemus(vmm.directory), [])
    assert.equal(filesLeft(vmm.directory), ['api.sock.lock', 'events.json', 'serial.log'])
  }),
)

needsQemu(test, 'a guest that powers off ends the process', () =>
  withVmm([], async vmm => {
    await boot(vmm, 'mode=off')
    assert.equal(await vmm.waitForEnd(BOOT_MS), { code: 0, signal: null })
    assert.is(readSerial(vmm), 'guest: hello, cmdline=mode=off\nguest: poweroff\n')
    assert.equal(vmm.eventNames().slice(-3), ['vm.shutdown', 'vm.deleted', 'vmm.shutdown'])
  }),
)

needsQemu(test, 'with --no-shutdown it can be booted again', () =>
  withVmm(['--no-shutdown'], async vmm => {
    await boot(vmm, 'mode=off')
    const countOffs = (): number => vmm.eventNames().filter(name => name === 'vm.shutdown').length
    await waitUntil('the power-off', () => countOffs() === 1 || undefined, BOOT_MS)
    assert.is(await readState(vmm), 'Created')
    await put(vmm, 'vm.boot')
    await waitUntil('the second power-off', () => countOffs() === 2 || undefined, BOOT_MS)
  }),
)

for (const [mode, what] of [
  ['reset', 'reset'],
  ['triple', 'triple fault'],
] as const) {
  needsQemu(test, `a ${what} is a reboot in place`, () =>
    withVmm([], async vmm => {
      await boot(vmm, `mode=${mode}`)
      const count = (): number => vmm.eventNames().filter(name => name === 'vm.rebooted').length
      await waitUntil('two reboots', () => count() >= 2 || undefined, BOOT_MS)
      // The serial file starts anew each time.
      assert.is(readSerial(vmm).split('hello').length <= 2, true)
      assert.is(vmm.ending, undefined)
    }),
  )
}

needsQemu(test, 'a panic is told and the guest goes on', () =>
  withVmm([], async vmm => {
    await boot(vmm, 'mode=panic', { pvpanic: true })
    assert.equal(await vmm.waitForEnd(BOOT_MS), { code: 0, signal: null })
    const panic = vmm.events().find(({ source }) => source === 'guest')
    assert.equal(panic?.properties, { event: 'panic' })
    assert.match(readSerial(vmm), /panic notified\nguest: poweroff\n$/)
  }),
)

needsQemu(test, 'QEMU dies with a killed emulator', () =>
  withVmm([], async vmm => {
    await boot(vmm, 'mode=tick')
    assert.is(listQemus(vmm.directory).length, 1)
    vmm.child.kill('SIGKILL')
    await vmm.ended
    await waitUntil('the end of QEMU', () => listQemus(vmm.directory).length === 0 || undefined)
  }),
)

needsQemu(test, 'a QEMU that is gone is a failed processor', () =>
  withVmm(['--no-shutdown'], async vmm => {
    await boot(vmm, 'mode=tick')
    process.kill(listQemus(vmm.directory)[0] ?? 0, 'SIGKILL')
    assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
    assert.match(vmm.stderr, /VCPU generated error/)
  }),
)

needsQemu(test, 'a saved guest goes on where it was', () =>
  inRunDirectory(async directory => {
    mkdirSync(join(directory, 'snap'))
    const url = `file://${directory}/snap`
    const saved = await withVmmIn(directory, [], async vmm => {
      await boot(vmm, 'mode=tick')
      await waitForTicks(vmm, 2)
      await put(vmm, 'vm.pause')
      const ticks = readTicks(vmm)
      await put(vmm, 'vm.snapshot', 204, { destination_url: url })
      await put(vmm, 'vmm.shutdown', 200)
      await vmm.waitForEnd()
      return ticks
    })
    await withVmmIn(directory, [], async vmm => {
      await put(vmm, 'vm.restore', 204, { source_url: url })
      assert.is(await readState(vmm), 'Paused')
      await put(vmm, 'vm.resume')
      await waitForTicks(vmm, saved + 2)
      assert.not.match(readSerial(vmm), /hello/)
    })
  }),
)

needsQemu(test, 'one that an earlier version has saved, memory and devices in one, goes on as well', () =>
  inRunDirectory(async directory => {
    const snap = join(directory, 'snap')
    mkdirSync(snap)
    const url = `file://${snap}`
    await withVmmIn(directory, [], async vmm => {
      await boot(vmm, 'mode=tick')
      await put(vmm, 'vm.pause')
      await put(vmm, 'vm.snapshot', 204, { destination_url: url })
    })
    const saved = await saveWhole(directory, JSON.parse(readFileSync(join(snap, 'config.json'), 'utf8')))
    await withVmmIn(directory, [], async vmm => {
      await put(vmm, 'vm.restore', 204, { source_url: url })
      await put(vmm, 'vm.resume')
      await waitForTicks(vmm, saved + 2)
      assert.not.match(readSerial(vmm), /hello/)
      // It is saved as they are now.
      await put(vmm, 'vm.pause')
      const again = join(directory, 'again')
      mkdirSync(again)
      await put(vmm, 'vm.snapshot', 204, { destination_url: `file://${again}` })
      assert.is(statSync(join(again, 'memory-ranges')).size, 67_108_864)
    })
  }),
)

needsQemu(test, 'a boot that QEMU refuses is a failed boot', () =>
  inRunDirectory(async directory => {
    const disk = join(directory, 'disk.raw')
    writeFileSync(disk, Buffer.alloc(1 << 20))
    mkdirSync(join(directory, 'b'))
    const disks = [{ path: disk, image_type: 'Raw' }]
    await withVmmIn(directory, [], async first => {
      await boot(first, 'mode=tick', { disks })
      await withVmmIn(join(directory, 'b'), [], async second => {
        await put(second, 'vm.create', 204, configOf(second, 'mode=tick', { disks }))
        const { status, body } = await call(second.socket, 'PUT', '/api/v1/vm.boot')
        assert.is(status, 500)
        assert.match(body, /Error locking disk images: Another instance likely holds a lock/)
      })
    })
  }),
)

test.run()

async function withVmm(flags: readonly string[], use: (vmm: VmmProcess) => Promise<void>): Promise<void> {
  await inRunDirectory(directory => withVmmIn(directory, flags, use))
}

async function withVmmIn<T>(
  directory: string,
  flags: readonly string[],
  use: (vmm: VmmProcess) => Promise<T>,
): Promise<T> {
  const args = [
    '--api-socket',
    `path=${directory}/api.sock`,
    '--event-monitor',
    `path=${directory}/events.json`,
  ]
  const vmm = new VmmProcess(directory, [...vmmCommand('qemu'), ...args, ...flags])
  try {
    await vmm.ready()
    return await use(vmm)
  } finally {
    await vmm.dispose()
  }
}

async function boot(vmm: VmmProcess, cmdline: string, more: object = {}): Promise<void> {
  await put(vmm, 'vm.create', 204, configOf(vmm, cmdline, more))
  await put(vmm, 'vm.boot')
}

function configOf({ directory }: VmmProcess, cmdline: string, more: object): object {
  return {
    memory: { size: 67_108_864 },
    payload: { kernel: SMALL_GUEST, cmdline },
    serial: { mode: 'File', file: join(directory, 'serial.log') },
    console: { mode: 'Off' },
    ...more,
  }
}

async function put(vmm: VmmProcess, name: string, wanted = 204, body?: object): Promise<void> {
  const text = body === undefined ? null : JSON.stringify(body)
  const response = await call(vmm.socket, 'PUT', `/api/v1/${name}`, text)
  assert.is(response.status, wanted, `${name}: ${response.body}`)
}

async function readState(vmm: VmmProcess): Promise<string> {
  const { body } = await call(vmm.socket, 'GET', '/api/v1/vm.info')
  return (JSON.parse(body) as { state: string }).state
}

function readSerial({ directory }: Pick<VmmProcess, 'directory'>): string {
  const file = join(directory, 'serial.log')
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Has QEMU run a guest and save it by itself; gives the ticks that it had printed. */
async function saveWhole(directory: string, config: VmConfig): Promise<number> {
  const args = formatQemuArguments(config, {
    accel: 'tcg',
    serialFile: join(directory, 'serial.log'),
    consoleFile: undefined,
    ports: undefined,
    memoryFile: undefined,
    incoming: undefined,
  })
  rmSync(join(directory, 'serial.log'))
  const qemu = spawnQemu('qemu-system-x86_64', args, undefined, new Log(join(directory, 'qemu.log'), 0))
  const file = createWriteStream(join(directory, 'snap', 'memory-ranges'))
  const server = createServer(stream => stream.pipe(file)).listen(join(directory, 'out.sock'))
  try {
    const qmp = new Qmp(qemu.qmp, () => {})
    await qmp.execute('qmp_capabilities')
    await qmp.execute('cont')
    await waitUntil('tick 2', () => readTicks({ directory }) >= 2 || undefined, BOOT_MS)
    await qmp.execute('stop')
    await qmp.execute('migrate', { uri: `unix:${directory}/out.sock` })
    await once(file, 'close')
    const isSaved = async () =>
      ((await qmp.execute('query-migrate')) as { status: string }).status === 'completed' || undefined
    await waitUntil('the end of the saving', isSaved, BOOT_MS)
    writeFileSync(join(directory, 'snap', 'state.json'), '{"emulator":{"backend":"qemu","takenPorts":[]}}')
    return readTicks({ directory })
  } finally {
    qemu.kill()
    await qemu.gone
    server.close()
  }
}

/** The number after the last tick that was printed in full. */
function readTicks(vmm: Pick<VmmProcess, 'directory'>): number {
  const ticks = readSerial(vmm).match(/(?<=tick )\d+(?=\n)/g)
  return Number(ticks?.at(-1) ?? -1)
}

async function waitForTicks(vmm: VmmProcess, count: number): Promise<void> {
  await waitUntil(`tick ${count}`, () => readTicks(vmm) >= count || undefined, BOOT_MS)
}

/** Processes of QEMU that know this directory. */
function listQemus(directory: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return words.startsWith('qemu-system') && words.includes(directory)
      } catch {
        // It has ended since the list was made.
        return false
      }
    })
    .map(Number)
}

function filesLeft(directory: string): string[] {
  return readdirSync(directory)
    .filter(name => !/\.(err|std)$/.test(name))
    .sort()
}
