import { readFileSync } from 'node:fs'
import type { BoxInfo, LedgerRecord } from 'boxledger'
import type { CrashStep, EffectType } from 'boxledger/machines'
import * as assert from 'uvu/assert'
import type { Outcome } from './run-child.ts'
import { ranIn } from './scenarios/executions.ts'
import { eventsIn, namesIn, type World } from './world.ts'

/** Which effects a step is a part of. */
const effectsOf: Readonly<Partial<Record<CrashStep, readonly EffectType[]>>> = {
  'removing an old run directory': ['prepareFiles'],
  'copying a disk': ['prepareFiles'],
  'naming a disk': ['prepareFiles'],
  'staging a disk': ['prepareFiles'],
  'removing staged disks': ['prepareFiles'],
  'taking disks': ['restoreVm'],
  'replacing a disk': ['prepareFiles', 'restoreVm'],
  'saving a disk': ['saveVm'],
  'making the run directory': ['spawnVmm'],
  'taking the life lock': ['spawnVmm'],
  'removing the life lock': ['spawnVmm'],
  spawn: ['spawnVmm'],
  'writing the initramfs': ['createVm'],
  'naming the initramfs': ['createVm'],
  'vm.create': ['createVm'],
  'vm.boot': ['bootVm'],
  'vm.pause': ['pauseVm', 'saveVm'],
  'vm.resume': ['resumeVm', 'releaseVm', 'restoreVm', 'pressButton'],
  'staging a snapshot': ['saveVm'],
  'vm.snapshot': ['saveVm'],
  'describing a snapshot': ['commitSnapshot'],
  'naming a snapshot': ['commitSnapshot'],
  'linking a snapshot': ['restoreVm'],
  'vm.restore': ['restoreVm'],
  'vm.power-button': ['pressButton'],
  'vm.shutdown': ['cutPower'],
  'vmm.shutdown': ['closeVmm'],
  SIGTERM: ['terminateVmm'],
  SIGKILL: ['killVmm'],
  'running a command': ['runCommand'],
  'removing the secrets': ['removeFiles'],
  'removing the files': ['removeFiles'],
}

/** No side effect without its intent before it in the ledger: nothing is in the world that was not asked for. */
export function assertIntended(
  records: readonly LedgerRecord[],
  world: World,
  { boundaries, signal }: Outcome,
  what: string,
): void {
  const asked = (effects: readonly string[], box?: string, incarnation?: number) =>
    records.some(
      record =>
        (box === undefined || record.box === box) &&
        record.effects.some(
          effect =>
            effects.includes(effect.type) &&
            (incarnation === undefined || effect.incarnation === incarnation),
        ),
    )
  const found = ({ box, incarnation }: { box: string; incarnation: number }) =>
    records.some(
      ({ box: of, event }) =>
        of === box && event.type === 'incarnation.found' && event.incarnation >= incarnation,
    )
  for (const run of world.runs)
    assert.ok(
      asked(['spawnVmm'], run.box, run.incarnation) || found(run),
      `${what}: run ${run.incarnation} of ${run.box} was asked for`,
    )
  for (const vmm of world.vmms) {
    const { box, incarnation, vm } = vmm
    const effects = [
      ['spawnVmm'],
      ...(vm === 'none' ? [] : [['createVm', 'restoreVm']]),
      ...(vm === 'Running' || vm === 'Paused' ? [['bootVm', 'restoreVm']] : []),
    ]
    for (const either of effects)
      assert.ok(asked(either, box, incarnation) || found(vmm), `${what}: ${either} of ${box} was asked for`)
  }
  if (signal !== 'SIGKILL') return
  const step = boundaries.at(-1)?.replace(/^(before|after) |#\d+$/g, '')
  const effects = effectsOf[step as CrashStep]
  if (effects !== undefined)
    assert.ok(asked(effects), `${what}: ${effects.join(' or ')} was asked for before ${step}`)
}

/** One live VMM for a box, whatever the time. */
export function assertAlone(vmms: readonly { readonly box: string }[], what: string): void {
  const boxes = vmms.map(({ box }) => box)
  assert.equal(boxes, [...new Set(boxes)], `${what}: no box has two VMMs`)
}

const states = { running: 'Running', paused: 'Paused' } as const

/** The kernel's word and the VMMs' against the engine's: a VMM for a box that is up, as it is, and none for any other. */
export function assertAgreement(boxes: readonly BoxInfo[], { vmms }: World, what: string): void {
  const isUnknown = ({ box }: { box: string }) =>
    boxes.some(({ id, state }) => id === box && state === 'unknown')
  const there = vmms
    .filter(vmm => !isUnknown(vmm))
    .map(({ pid, box, incarnation, vm }) => ({ box, pid, incarnation, vm }))
  const said = boxes.flatMap(({ id, pid, incarnation, state }) =>
    state === 'running' || state === 'paused' ? [{ box: id, pid, incarnation, vm: states[state] }] : [],
  )
  const order = (a: { box: string }, b: { box: string }) => a.box.localeCompare(b.box)
  assert.equal(there.sort(order), said.sort(order), `${what}: VMMs that live are those the engine knows`)
}

/** Out of unknown nothing is spawned, killed or deleted. */
export function assertUntouched(boxes: readonly BoxInfo[], before: World, after: World, what: string): void {
  const of = ({ vmms }: World, box: string) => vmms.filter(vmm => vmm.box === box).map(({ pid }) => pid)
  for (const { id, state } of boxes)
    if (state === 'unknown')
      assert.equal(of(after, id), of(before, id), `${what}: what is unknown is left alone`)
}

/** What a caller was told stays so, unless something else was asked for and recorded after it. */
export function assertAnswers(
  dead: readonly LedgerRecord[],
  boxes: readonly BoxInfo[],
  { answers }: Outcome,
  what: string,
): void {
  for (const { answered, version, state, pid, incarnation } of answers) {
    const now = boxes.find(({ id }) => id === answered)
    if (state === 'removed') {
      assert.is(now, undefined, `${what}: ${answered} is removed and stays so`)
      continue
    }
    const last = dead.filter(({ box, execution }) => box === answered && execution === undefined).at(-1)
    assert.ok((last?.version ?? 0) >= (version ?? 0), `${what}: version ${version} of ${answered} is there`)
    if (last?.version !== version) continue
    const told = { state, pid, incarnation }
    assert.equal(
      { state: now?.state, pid: now?.pid, incarnation: now?.incarnation },
      told,
      `${what}: ${answered} is as it was told`,
    )
  }
}

/** A box stays paused where somebody has asked for it, or has done it from outside, and nowhere else. */
export function assertPausesWanted(
  records: readonly LedgerRecord[],
  boxes: readonly BoxInfo[],
  isFromOutside: boolean,
  what: string,
): void {
  for (const { id, state } of boxes) {
    if (state !== 'paused' || isFromOutside) continue
    const told = records.filter(
      ({ box, event }) =>
        box === id && /^(pause|resume|stop|restart|start)\.requested$|^resume\.failed$/.test(event.type),
    )
    const why = told.at(-1)?.event.type ?? 'nothing'
    assert.ok(['pause.requested', 'resume.failed'].includes(why), `${what}: ${id} is paused after ${why}`)
  }
}

/** What a guest did, as its VMM's file has it, is in the ledger once. */
export function assertFoldedOnce(
  home: string,
  records: readonly LedgerRecord[],
  boxes: readonly BoxInfo[],
  what: string,
): void {
  for (const { id, incarnation, state } of boxes) {
    const events = records
      .filter(({ box, event }) => box === id && event.incarnation === incarnation)
      .map(({ event }) => event)
    const count = (type: string) => events.filter(event => event.type === type).length
    const inFile = (name: string) => eventsIn(home, id, incarnation, name)
    for (const [type, name] of [
      ['vm.paused', 'paused'],
      ['vm.resumed', 'resumed'],
      ['guest.panicked', 'panic'],
      ['vm.booted', 'booted'],
    ] as const)
      assert.ok(count(type) <= Math.max(1, inFile(name)), `${what}: no ${type} is folded twice`)
    const reboots = events.reduce(
      (sum, event) => sum + (event.type === 'guest.rebooted' ? event.count : 0),
      0,
    )
    // Of one that is still up some may be read later.
    if (state === 'running' || state === 'unknown') assert.ok(reboots <= inFile('rebooted'))
    else assert.is(reboots, inFile('rebooted'), `${what}: each reboot is folded once`)
  }
}

/** Each command is over, once, whatever became of its engine; and none has run more often than was recorded. */
export function assertExecutions(home: string, records: readonly LedgerRecord[], what: string): void {
  const started = records.filter(({ event }) => event.type === 'exec.started')
  for (const { execution } of started) {
    const own = records.filter(record => record.execution === execution)
    const [first, ...ends] = own.map(({ event }) => event.type)
    assert.is(first, 'exec.started', `${what}: ${execution} begins so`)
    assert.is(ends.length, 1, `${what}: ${execution} is over, and once: ${ends}`)
  }
  assert.ok(ranIn(home) <= started.length, `${what}: ${ranIn(home)} of ${started.length} commands have run`)
}

/** What a box is said to have saved is on the disk, with a name, and nothing else has one. */
export function assertSnapshots(home: string, heads: readonly SavedIn[], what: string): void {
  for (const { box, names } of heads) {
    const there = namesIn(`${home}/boxes/${box}/snapshots`)
    assert.equal(there.sort(), [...names].sort(), `${what}: the snapshots of ${box} are those that it has`)
    for (const name of names) {
      const dir = `${home}/boxes/${box}/snapshots/${name}`
      const disks = namesIn(dir).filter(isDisk)
      assert.equal(
        namesIn(dir).sort(),
        ['config.json', ...disks, 'manifest.json', 'memory-ranges', 'state.json'].sort(),
        `${what}: ${name} of ${box} is whole`,
      )
      for (const disk of disks) wordOn(`${dir}/${disk}`, what)
    }
  }
}

const isDisk = (name: string) => name.endsWith('.img')

/** Each disk that a box has for itself is whole, as it was or as it was to be; and so are all of them together. */
export function assertDisks(home: string, boxes: readonly BoxInfo[], what: string): void {
  for (const { id } of boxes) {
    const dir = `${home}/boxes/${id}/disks`
    const names = namesIn(dir)
    const words = names.filter(isDisk).map(name => wordOn(`${dir}/${name}`, what))
    // What the next start goes on with.
    if (names.includes('.restored')) continue
    assert.ok(new Set(words).size <= 1, `${what}: the disks of ${id} belong together: ${words}`)
  }
}

/** What a disk of a scenario is full of, from its first byte to its last. */
function wordOn(path: string, what: string): string {
  const bytes = readFileSync(path)
  const word = bytes.toString('latin1', 0, 4)
  assert.ok(bytes.equals(Buffer.alloc(bytes.length, word)), `${what}: ${path} is whole`)
  return word
}

export interface SavedIn {
  readonly box: string
  readonly names: readonly string[]
}

/** Of boxes that are removed, or were never recorded, nothing is left. */
export function assertNothingLeft(home: string, boxes: readonly BoxInfo[], what: string): void {
  const known = new Set(boxes.map(({ id }) => id))
  for (const dir of ['boxes', 'secrets'])
    assert.equal(
      namesIn(`${home}/${dir}`).filter(name => !known.has(name) && name !== 'arguments.key'),
      [],
      `${what}: ${dir}/ holds nothing of boxes that are not`,
    )
  assert.equal(
    namesIn(`${home}/images`).filter(name => /^\.(adding|removing)-/.test(name)),
    [],
    `${what}: images/ holds nothing that was cut off`,
  )
}
