import type { BoxSpec } from 'boxledger/machines'
import { checkHome } from 'boxledger/vmm'
import * as assert from 'uvu/assert'
import { vmmArguments } from '../../src/vmm/cloud-hypervisor/arguments.ts'
import { differences, uuidIn } from '../../src/vmm/cloud-hypervisor/echo.ts'
import { majorOf, quirksOf } from '../../src/vmm/cloud-hypervisor/quirks.ts'
import { uuidOf } from '../../src/vmm/cloud-hypervisor/uuid.ts'
import { vmConfigOf } from '../../src/vmm/cloud-hypervisor/vm-config.ts'
import { runFiles } from '../../src/vmm/files/paths.ts'
import { suite } from '../support/suite.ts'

const test = suite('vm config')

const spec: BoxSpec = {
  cpus: 2,
  memoryMib: 256,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 1,
}
const files = runFiles('/h', 'abcdefghijkl', 3)
const uuid = uuidOf('abcdefghijkl')
const disks = [{ path: '/image.raw' }]
const payload = { kernel: '/k', initramfs: '/i', cmdline: 'console=ttyS0', disks, hasAgent: false }
const newest = quirksOf('53.0.0')

test('describes a VM as a whole', () => {
  const disks = [{ path: '/d.qcow2', format: 'qcow2', readonly: true }] as const
  assert.equal(vmConfigOf({ ...spec, disks }, payload, files, uuid, newest), {
    cpus: { boot_vcpus: 2, max_vcpus: 2 },
    memory: { size: 268_435_456 },
    payload: { kernel: '/k', initramfs: '/i', cmdline: 'console=ttyS0' },
    disks: [
      { path: '/image.raw', readonly: false, image_type: 'Raw' },
      { path: '/d.qcow2', readonly: true, image_type: 'Qcow2' },
    ],
    rng: { src: '/dev/urandom' },
    serial: { mode: 'File', file: '/h/boxes/abcdefghijkl/3/serial.log' },
    console: { mode: 'Off' },
    pvpanic: true,
    platform: { system_uuid: uuid },
    landlock_enable: true,
    landlock_rules: [{ path: '/h/boxes/abcdefghijkl/3', access: 'rw' }],
  })
})

test('a main command has a console of its own', () => {
  const { console } = vmConfigOf({ ...spec, command: ['true'] }, payload, files, uuid, newest)
  assert.equal(console, { mode: 'File', file: '/h/boxes/abcdefghijkl/3/command.log' })
})

test('a guest with an agent has a way to it', () => {
  const { vsock } = vmConfigOf(spec, { ...payload, hasAgent: true }, files, uuid, newest)
  assert.equal(vsock, { cid: 3, socket: '/h/boxes/abcdefghijkl/3/v.sock' })
})

test('what the VMM has not taken is named', () => {
  const config = vmConfigOf(spec, payload, files, uuid, newest)
  const echo = JSON.parse(JSON.stringify(config)) as Record<string, unknown>
  assert.equal(differences(config, { ...echo, more: 1, memory: { size: 268_435_456, thp: true } }), [])
  assert.equal(differences(config, { ...echo, pvpanic: false, landlock_enable: undefined }), [
    'pvpanic',
    'landlock_enable',
  ])
  assert.equal(differences(config, { ...echo, memory: { size: 1 }, disks: [] }), ['memory.size', 'disks'])
  assert.equal(differences(config, { ...echo, platform: { uuid: 'other' } }), ['platform.uuid'])
  assert.equal(differences(config, { ...echo, platform: { uuid: uuid.toUpperCase() } }), [])
  assert.is(uuidIn({}), undefined)
})

test('versions are read wherever they stand', () => {
  assert.is(majorOf('53.0.0'), 53)
  assert.is(majorOf('v53.0-dirty'), 53)
  assert.is(majorOf('cloud-hypervisor v50.1\nMigration Protocol Versions: 0'), 50)
  assert.is(majorOf('nonsense'), undefined)
})

test('flags and names follow the version', () => {
  assert.ok(vmmArguments(files, quirksOf('v52.0')).includes('--no-shutdown'))
  assert.not(vmmArguments(files, quirksOf('v51.1')).includes('--no-shutdown'))
  assert.ok(vmmArguments(files, quirksOf('')).includes('--no-shutdown'))
  assert.ok(vmmArguments(files, quirksOf('v60.0')).includes('--no-shutdown'))
  assert.equal(vmConfigOf(spec, payload, files, uuid, quirksOf('v52.0')).platform, { uuid })
})

test('a UUID is that of its box, in the form of version 5', () => {
  assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.is(uuid, uuidOf('abcdefghijkl'))
  assert.is.not(uuid, uuidOf('abcdefghijkm'))
})

test('a home whose sockets would have too long a path is refused', () => {
  assert.is(checkHome('/home/somebody/.local/state/boxledger'), undefined)
  assert.match(checkHome(`/${'a'.repeat(100)}`) ?? '', 'too long')
  assert.match(checkHome(`/${'ä'.repeat(40)}`) ?? '', 'too long')
  const longest = `/${'a'.repeat(200)}`.slice(0, 107 - '/boxes/abcdefghijkl/999999/v.sock_1024'.length)
  assert.is(checkHome(longest), undefined)
  assert.ok(checkHome(`${longest}a`))
})

test.run()
