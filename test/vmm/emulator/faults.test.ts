import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { call, formatRequest, RawConnection } from './raw-client.ts'
import { SMALL_GUEST } from './recording.ts'
import { inRunDirectory, VmmProcess, vmmCommand } from './vmm-process.ts'
import { waitUntil } from './wait.ts'

const test = suite('emulator: faults on request')

test('hang: neither the call nor any later one is answered, and SIGTERM waits', () =>
  withFault(['hang:vm.boot'], async vmm => {
    await create(vmm)
    const boot = await ask(vmm, 'PUT', 'vm.boot')
    assert.is(await boot.read(200), undefined)
    const ping = await ask(vmm, 'GET', 'vmm.ping')
    assert.is(await ping.read(200), undefined)
    vmm.child.kill('SIGTERM')
    assert.is(await ping.read(200), undefined)
    assert.is(vmm.ending, undefined)
    boot.close()
    ping.close()
  }))

test('slow: the call takes its time', () =>
  withFault(['slow:vmm.ping,ms=150,nth=2'], async vmm => {
    assert.ok((await timePing(vmm)) < 150)
    assert.ok((await timePing(vmm)) >= 150)
  }))

test('die before: the call is not done', () =>
  withFault(['die:vm.boot'], async vmm => {
    await create(vmm)
    await ask(vmm, 'PUT', 'vm.boot')
    assert.equal(await vmm.waitForEnd(), { code: null, signal: 'SIGKILL' })
    assert.not(vmm.eventNames().includes('vm.booted'))
  }))

test('die after: the call is done, the answer lost', () =>
  withFault(['die:vm.boot,when=after,exit=3'], async vmm => {
    await create(vmm)
    await ask(vmm, 'PUT', 'vm.boot')
    assert.equal(await vmm.waitForEnd(), { code: 3, signal: null })
    assert.ok(vmm.eventNames().includes('vm.booted'))
  }))

test('answer: wrong status and body', () =>
  withFault(['answer:vm.info,status=200,body={"state": nonsense, x=1'], async vmm => {
    await create(vmm)
    const { status, body } = await call(vmm.socket, 'GET', '/api/v1/vm.info')
    assert.is(status, 200)
    assert.is(body, '{"state": nonsense, x=1')
  }))

test('cut: the call is done, the connection closed', () =>
  withFault(['cut:vm.create'], async vmm => {
    const connection = await RawConnection.open(vmm.socket)
    connection.send(formatRequest('PUT', '/api/v1/vm.create', '{}'))
    assert.is(await connection.read(), undefined)
    assert.ok(connection.closed)
    assert.is((await call(vmm.socket, 'GET', '/api/v1/vm.info')).status, 200)
  }))

test('cut: the process ends also when nobody is told', () =>
  withFault(['cut:vmm.shutdown'], async vmm => {
    await ask(vmm, 'PUT', 'vmm.shutdown')
    assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
  }))

test('a fault asked for on the command line of the guest', () =>
  withFault([], async vmm => {
    await create(vmm, 'mode=tick boxledger.fault=answer:vm.pause,status=503')
    assert.is((await call(vmm.socket, 'PUT', '/api/v1/vm.boot')).status, 204)
    assert.is((await call(vmm.socket, 'PUT', '/api/v1/vm.pause')).status, 503)
  }))

test('ignore-sigterm and ignore-power-button', () =>
  withFault(['ignore-sigterm', 'ignore-power-button'], async vmm => {
    await create(vmm, 'boxledger.init')
    await call(vmm.socket, 'PUT', '/api/v1/vm.boot')
    assert.is((await call(vmm.socket, 'PUT', '/api/v1/vm.power-button')).status, 204)
    vmm.child.kill('SIGTERM')
    await waitUntil('nothing', async () => ((await timePing(vmm)) >= 0 ? true : undefined))
    assert.match((await call(vmm.socket, 'GET', '/api/v1/vm.info')).body, /"state":"Running"/)
  }))

test('slow-start: the socket comes late', () =>
  withFault(['slow-start,ms=300'], async vmm => {
    assert.ok(vmm.events().length <= 1)
    assert.ok((await timePing(vmm)) >= 0)
  }))

test('exit-at-start and no-socket', () =>
  inRunDirectory(async directory => {
    const ending = start(directory, ['exit-at-start,code=7'])
    const silent = start(directory, ['no-socket'])
    try {
      assert.equal(await ending.waitForEnd(), { code: 7, signal: null })
      await waitUntil('its first event', () => silent.eventNames()[0])
      assert.is(silent.ending, undefined)
    } finally {
      await ending.dispose()
      await silent.dispose()
    }
  }))

test('a fault that is none is a usage error', () =>
  inRunDirectory(async directory => {
    const vmm = start(directory, ['explode'])
    assert.equal(await vmm.waitForEnd(), { code: 2, signal: null })
    assert.match(vmm.stderr, /unknown fault 'explode'/)
  }))

test('without a guest: ready, the main command, the power button', () =>
  withFault([], async vmm => {
    await create(vmm, 'boxledger.init boxledger.exit=3 boxledger.exit-after=50')
    await call(vmm.socket, 'PUT', '/api/v1/vm.boot')
    assert.equal(await vmm.waitForEnd(), { code: 0, signal: null })
    assert.match(vmm.stdout, /boxledger: ready\n(.*\n)*boxledger: command exited 3\n/)
  }))

test.run()

function start(directory: string, faults: readonly string[]): VmmProcess {
  const args = [
    '--api-socket',
    `path=${directory}/api.sock`,
    '--event-monitor',
    `path=${directory}/events.json`,
  ]
  const flags = faults.flatMap(spec => ['--fault', spec])
  return new VmmProcess(directory, [...vmmCommand('none'), ...args, ...flags])
}

async function withFault(faults: readonly string[], use: (vmm: VmmProcess) => Promise<void>): Promise<void> {
  await inRunDirectory(async directory => {
    const vmm = start(directory, faults)
    try {
      await vmm.ready()
      await use(vmm)
    } finally {
      await vmm.dispose()
    }
  })
}

async function create(vmm: VmmProcess, cmdline = 'mode=tick'): Promise<void> {
  const config = {
    payload: { kernel: SMALL_GUEST, cmdline },
    serial: { mode: 'Tty' },
    console: { mode: 'Off' },
  }
  const { status } = await call(vmm.socket, 'PUT', '/api/v1/vm.create', JSON.stringify(config))
  assert.is(status, 204)
}

async function ask(vmm: VmmProcess, method: string, name: string): Promise<RawConnection> {
  const connection = await RawConnection.open(vmm.socket)
  connection.send(formatRequest(method, `/api/v1/${name}`, null))
  return connection
}

async function timePing(vmm: VmmProcess): Promise<number> {
  const startedAt = performance.now()
  assert.is((await call(vmm.socket, 'GET', '/api/v1/vmm.ping')).status, 200)
  // The look for a close right after the answer is the test's own.
  return performance.now() - startedAt - 20
}
