import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { countersIn } from '../../src/vmm/cloud-hypervisor/counters.ts'
import { identify } from '../../src/vmm/host/identity.ts'
import { usageOf } from '../../src/vmm/host/usage.ts'
import { suite } from '../support/suite.ts'

const test = suite('vmm: counters')

test('what a real VMM answers', () => {
  const recording = readFileSync('test/fixtures/cloud-hypervisor/recordings/matrix-running.json', 'utf8')
  const body = /"(\{\\"disk0\\":.*\})"/.exec(recording)?.[1] ?? ''
  assert.equal(countersIn(JSON.parse(JSON.parse(`"${body}"`))), {
    disks: { disk0: { readBytes: 0, readOps: 0, writeBytes: 0, writeOps: 0 } },
    net: {},
  })
})

test('devices of other kinds, and what is no number, are passed over', () => {
  const net = { rx_bytes: 1, rx_frames: 2, tx_bytes: 3, tx_frames: 4 }
  assert.equal(
    countersIn({
      net1: { ...net, more: 5 },
      net2: { ...net, rx_bytes: -1 },
      net3: { ...net, tx_frames: '4' },
      disk: { read_bytes: 1, read_ops: 1, write_bytes: 1 },
      rng: {},
      text: 'x',
      none: null,
    }),
    { disks: {}, net: { net1: { rxBytes: 1, rxFrames: 2, txBytes: 3, txFrames: 4 } } },
  )
})

test('what a process uses is told only of the one that is meant', () => {
  const socket = process.execPath // a word of this process's command line, as its socket is of a VMM's
  const me = identify(process.pid)
  const usage = usageOf(me, process.argv[1] ?? socket)
  assert.ok(usage !== undefined && usage.cpuMs > 0 && usage.lifeMs > 0 && usage.residentBytes > 1024)
  assert.is(usageOf({ ...me, startTime: '1' }, process.argv[1] ?? socket), undefined)
  assert.is(usageOf({ ...me, bootId: 'another' }, process.argv[1] ?? socket), undefined)
  assert.is(usageOf({ ...me, pidNamespace: '1' }, process.argv[1] ?? socket), undefined)
  assert.is(usageOf(me, '/no/such/socket'), undefined)
})

test('what it has started counts too, and what that has', async () => {
  const me = identify(process.pid)
  const word = process.argv[1] ?? process.execPath
  const before = usageOf(me, word)
  const hungry = 'const held = Buffer.alloc(200 << 20, 1); console.log("up"); setInterval(() => held, 1000)'
  // Two words after it, so that the shell does not become it.
  const child = spawn('sh', ['-c', '"$0" -e "$1"; true', process.execPath, hungry], { detached: true })
  const ended = once(child, 'exit')
  try {
    await once(child.stdout, 'data')
    const during = usageOf(me, word)
    const [more, ms] = [
      (during?.residentBytes ?? 0) - (before?.residentBytes ?? 0),
      (during?.cpuMs ?? 0) - (before?.cpuMs ?? 0),
    ]
    assert.ok(more > 190 << 20, `${more} bytes`)
    assert.ok(ms > 0, `${ms} ms`)
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await ended
  }
  const after = usageOf(me, word)
  assert.ok((after?.residentBytes ?? 0) - (before?.residentBytes ?? 0) < 190 << 20)
})

test.run()
