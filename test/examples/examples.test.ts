// @timeout 300
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'
import * as assert from 'uvu/assert'
import { vmmsOf } from '../engine/crash/vmms.ts'
import { needsRedis } from '../support/requires.ts'
import { suite } from '../support/suite.ts'
import { withTempDir } from '../support/tmp.ts'
import { instantVmm } from '../support/vmms.ts'
import { runExample } from './run-example.ts'
import { plantImage } from './stand-in-image.ts'

const test = suite('examples')
const sources = fileURLToPath(new URL('../../../examples/', import.meta.url))

const causesOfRestart = [
  ...[
    'vmm.exited',
    'restart.scheduled',
    'timer.fired',
    'start.stage',
    'start.stage',
    'vmm.spawned',
    'vmm.ready',
  ],
  ...['vm.created', 'vm.booted', 'guest.ready'],
]

/** What each prints, line by line. */
const outputs: Readonly<Record<string, readonly string[]>> = {
  hello: [
    'created: configured',
    'started: running, guest ready: true, incarnation 1',
    'stopped: stopped, since it was requested',
    'started again: incarnation 2',
    'removed; its history stays:',
    '  configured → starting → running → stopping → stopped → starting → running → removing → removed',
  ],
  names: [
    'by ID, by name, by prefix: the same box',
    'a second "web": NAME_TAKEN',
    'getOrCreate: created false, differs in cpus',
    'four at once: 1 box, created by 1',
    'renamed: web false, site true',
    'the name is free again, the ID is not: true',
  ],
  'auto-remove': [
    'running: files on disk true',
    'after a stop: removed, ending requested',
    '  exists false, files on disk false',
    '  its history by ID: still there',
    'running: files on disk true',
    'after a crash: removed, ending crash',
    '  exists false, files on disk false',
    '  its history by ID: still there',
  ],
  audit: [
    'then: running, and after the next record: crashed, crash',
    'what changed: state, open, process, ending, restart.due, effects.scheduleRestart',
    `why it runs: ${causesOfRestart.join(' → ')}`,
    'would take a pause: true',
    'had it been stopped just before: stopped, by killVmm',
    'and really: running, restarted 1 time',
  ],
  'crash-and-recover': [
    'the engine was killed',
    'the next engine: running, the same process: true',
    'its history, folded anew: sound',
    'the VMM was killed while nobody had the home open',
    'the engine after that: crashed, ending crash',
  ],
  reboot: [
    'rebooted in place: incarnation 1, restarts 0',
    'after 5 reboots: crashed, ending reboot-loop',
    'incarnations: 1',
  ],
  'restart-policy': [
    'incarnation 1 is up, restarts so far: 0',
    'incarnation 2 is up, restarts so far: 1',
    'incarnation 3 is up, restarts so far: 2',
    'no retries left: crashed, ending crash',
    'waited before each: 50 ms, 100 ms',
    'after a stop: stopped, to be restarted: false',
  ],
  snapshot: [
    'counts from 0',
    'saved as counted-to-two, and stopped',
    'goes on where it was: true',
    'so does its clone, beside it: true',
  ],
  simulate: ['as it comes: start 31 within an hour', 'with patience: holds under 10 seeds'],
  'warm-start': [
    'cold: booted',
    'made a template for 1 CPU and 128 MiB',
    'warm: begun with the template',
    'other: begun with the template',
    'warm: ready true',
    'other: ready true',
    'builtin: fits true',
  ],
  watch: [
    'ready: watched',
    'states: configured → starting → running → stopping → stopped → removing → removed',
    'records: every version once and in order: true',
  ],
  embed: [
    'the pool is full: 2 workers',
    'a worker was lost (crash): another takes its place',
    'the pool is full again: 2 workers',
  ],
  'two-processes': [
    'started through the owner: running',
    'the owner was killed; under the next one: running',
    'the stream went on without a gap: true',
  ],
}

/** Those that need a server of somebody else's. */
const onServers: Readonly<Record<string, readonly string[]>> = {
  outbox: [
    'the publisher ended at 3, by SIGKILL',
    '  position 3 was delivered before, and is refused',
    'the publisher ended at 8, by SIGKILL',
    '  position 8 was delivered before, and is refused',
    'the publisher ended at the end',
    '15 records, 15 in Redis, 15 of them different',
  ],
}

/** Those that are run by a test of their own. */
const apart: readonly string[] = ['inspect']

/** Those that show a guest, which `examples.qemu.test.ts` runs on one. */
const onGuests: readonly string[] = ['command.sh', 'exec', 'interactive-box', 'simple-box']

const does = (name: string, lines: readonly string[]) => {
  const body = () =>
    withTempDir(async home => {
      await plantImage(home)
      const { code, stdout, stderr } = await runExample(name, home, instantVmm)
      assert.equal({ code, lines: stdout.trimEnd().split('\n'), stderr }, { code: 0, lines, stderr: '' })
      assert.equal(vmmsOf(home), [])
      await using runtime = await BoxRuntime.open({ home })
      assert.equal(await runtime.listInfo(), [])
    })
  return [`${name} does what it says, and leaves nothing behind`, body] as const
}

for (const [name, lines] of Object.entries(outputs)) test(...does(name, lines))
for (const [name, lines] of Object.entries(onServers)) needsRedis(test, ...does(name, lines))

test('an example without a home of its own makes one, and removes it', () =>
  withTempDir(async tmp => {
    await mkdir(join(tmp, 'tmp'))
    const { code } = await runExample('names', undefined, instantVmm, { TMPDIR: join(tmp, 'tmp') })
    assert.is(code, 0)
    assert.equal(await readdir(join(tmp, 'tmp')), [])
  }))

test('every example is one file of less than 60 lines, and is run', async () => {
  const files = (await readdir(sources)).filter(file => /\.(ts|sh)$/.test(file))
  const run = [...Object.keys(outputs), ...Object.keys(onServers), ...onGuests, ...apart]
  assert.equal(files.map(file => file.replace(/\.ts$/, '')).sort(), run.sort())
  for (const file of files) {
    const text = await readFile(join(sources, file), 'utf8')
    assert.ok(text.trimEnd().split('\n').length < 60, `${file} is too long`)
    const modules = [...text.matchAll(/from '([^']+)'/g)].map(([, module]) => module ?? '')
    for (const module of modules)
      assert.match(module, /^(boxledger(\/\w+)?|rxjs|node:.*|@redis\/client|@statelyai\/inspect(\/server)?)$/)
  }
})

test.run()
