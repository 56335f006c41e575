import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type BoxEvent,
  type BoxSpec,
  type ExecutionEvent,
  isRefusal,
  type StreamState,
  type StreamTransition,
  stepStream,
  streamOf,
} from 'boxledger/machines'
import { openLedger } from 'boxledger/store'
import { ClassicLevel } from 'classic-level'
import { isCheckpoint } from '../src/store/checkpoints.ts'
import { encodeFrame, noHash, seal, sha256 } from '../src/store/codec.ts'
import {
  bodyKey,
  checkpointKey,
  commandKey,
  executionsKey,
  frameKey,
  headKey,
  nameKey,
  removedKey,
} from '../src/store/keys.ts'

/** What a ledger was built with. */
export interface LongLedger {
  readonly records: number
  /** IDs, all of which have as many records */
  readonly boxes: readonly string[]
}

/** Executions in each life of a VMM. */
const executions = 5
/** Stands in the template for the ID of the box. */
const anyBox = 'anybox000000'
const bornAt = 1_700_000_000_000
const meta = { bootId: 'bench', epoch: 1, engine: 'bench/0' }

/** A record of the template: what of its body is the same in every box, and what follows from it. */
interface Step {
  readonly stream: string
  readonly version: number
  readonly at: string
  readonly isCommand: boolean
  /** text behind the links, before the command's ID */
  readonly rest: string
  /** the state after it, where a checkpoint is kept of that */
  readonly kept?: Last
}

/**
 * Builds a home whose ledger has at least so many records: boxes that are started, run commands, are stopped, and so on,
 * each with the same life. The machine decides that life once; the rest is hashing and writing, in the order of keys,
 * which is many times faster than to live through it.
 */
export async function buildLongLedger(home: string, wanted: number, boxes = 1_000): Promise<LongLedger> {
  const each = Math.ceil(wanted / boxes)
  const { steps, last } = templateOf(each)
  const ids = Array.from({ length: boxes }, (_, n) => `bench${String(n).padStart(7, '0')}`)
  // An ownership, so that the records' epoch is one.
  await (await openLedger({ home, ...meta, now: () => bornAt })).close()
  const db = new ClassicLevel<string, string>(join(home, 'ledger'))
  await mkdir(home, { recursive: true })
  const writer = new Writer(db)
  const positionOf = (box: number, step: number) => step * boxes + box + 1

  let prev = noHash
  const linked = ids.map(() => new Map<string, string>())
  for (const [n, step] of steps.entries())
    for (const [box, id] of ids.entries()) {
      const links = linked[box] as Map<string, string>
      const bodyHash = sha256(bodyOf(step, id, links))
      const position = positionOf(box, n)
      links.set(step.stream, bodyHash)
      const frame = encodeFrame({
        position,
        prev,
        bodyHash,
        box: step.stream.replace(anyBox, id),
        version: step.version,
      })
      prev = sha256(frame)
      await writer.put(frameKey(position), frame)
    }
  const inOrder = [...steps.entries()].sort(([a, one], [b, other]) =>
    one.stream === other.stream ? a - b : one.stream < other.stream ? -1 : 1,
  )
  for (const [box, id] of ids.entries()) {
    const links = new Map<string, string>()
    const places = new Map<string, { created: number; position: number }>()
    for (const [n, step] of inOrder) {
      const { stream, version, kept } = step
      const position = positionOf(box, n)
      const text = bodyOf(step, id, links)
      links.set(stream, sha256(text))
      places.set(stream, { created: places.get(stream)?.created ?? position, position })
      await writer.put(bodyKey(stream.replace(anyBox, id), version, position), text)
      if (kept !== undefined)
        await writer.put(checkpointKey(id, version), headOf(stream, kept, id, places.get(stream), links))
      if (step.isCommand)
        await writer.put(commandKey(commandOf(id, version)), seal(JSON.stringify({ box: id, position })))
    }
    let begun = 0
    for (const [stream, latest] of last) {
      const name = stream.replace(anyBox, id)
      if (stream !== anyBox) begun += 1
      const head = headOf(stream, latest, id, places.get(stream), links)
      await writer.put(latest.isOver ? removedKey(name) : headKey(name), head)
    }
    if (begun > 0) await writer.put(executionsKey(id), seal(String(begun)))
    await writer.put(nameKey(`box-${id}`), seal(JSON.stringify({ box: id })))
  }
  await writer.flush()
  await db.close()
  return { records: each * boxes, boxes: ids }
}

const commandOf = (id: string, version: number) => `${id}-${version}`

function bodyOf(
  { stream, version, at, isCommand, rest }: Step,
  id: string,
  links: Map<string, string>,
): string {
  const begin = `{"box":"${stream}","version":${version},"prevBody":"${links.get(stream) ?? noHash}","at":"${at}"`
  const own = isCommand ? `"commandId":"${commandOf(id, version)}",` : ''
  return `${`${begin}${rest}"meta":{${own}`.replaceAll(anyBox, id) + JSON.stringify(meta).slice(1)}}`
}

/** A sealed head. */
function headOf(
  stream: string,
  { version, at, event, state }: Last,
  id: string,
  place: { readonly created: number; readonly position: number } | undefined,
  links: ReadonlyMap<string, string>,
): string {
  const head = {
    ...{ box: stream, version, position: place?.position, createdPosition: place?.created },
    ...{ updatedAt: Date.parse(at), lastEvent: event, bodyHash: links.get(stream), state },
  }
  return seal(JSON.stringify(head).replaceAll(anyBox, id))
}

interface Last {
  readonly version: number
  readonly at: string
  readonly event: string
  readonly state: StreamState
  readonly isOver: boolean
}

/** The first records of one box's life, as the machine decides them, and how its streams stand after them. */
function templateOf(length: number): { steps: Step[]; last: Map<string, Last> } {
  const steps: Step[] = []
  const last = new Map<string, Last>()
  let at = bornAt
  for (const [stream, event] of eventsOf(anyBox)) {
    if (steps.length >= length) break
    at += 1_000
    const before = last.get(stream)
    const version = (before?.version ?? 0) + 1
    const outcome = stepStream(before?.state, event, { at, version })
    if (isRefusal(outcome)) throw new Error(`${event.type} is refused in ${outcome.state}`)
    const time = new Date(at).toISOString()
    const isCommand = event.type.endsWith('.requested')
    const latest = {
      ...{ version, at: time, event: event.type, state: outcome.state },
      isOver: event.type === 'exec.ended',
    }
    const kept = isCheckpoint(version) ? { kept: latest } : {}
    steps.push({ stream, version, at: time, isCommand, rest: restOf(outcome), ...kept })
    last.set(stream, latest)
  }
  return { steps, last }
}

function restOf({ event, from, to, effects, timers }: StreamTransition): string {
  return `,${JSON.stringify({ event, from, to, effects, timers }).slice(1, -1)},`
}

function* eventsOf(id: string): Generator<[string, BoxEvent | ExecutionEvent]> {
  yield [id, { type: 'box.created', id, name: `box-${id}`, labels: { of: 'bench' }, spec }]
  for (let incarnation = 1; ; incarnation += 1) {
    for (const event of upTo(incarnation)) yield [id, event]
    for (let n = 1; n <= executions; n += 1) {
      const execution = `${String(incarnation).padStart(6, '0')}${String(n).padStart(6, '0')}`
      const stream = streamOf({ box: id, execution })
      const asked = { id: execution, box: id, incarnation, command: 'true', tty: false }
      yield [stream, { type: 'exec.started', ...asked, arguments: { count: 2, hmac: '5b'.repeat(32) } }]
      yield [stream, { type: 'exec.ended', incarnation, exitCode: 0 }]
    }
    for (const event of downFrom(incarnation)) yield [id, event]
  }
}

const spec: BoxSpec = {
  cpus: 1,
  memoryMib: 128,
  autoRemove: false,
  detach: true,
  restart: { policy: 'no' },
  stopTimeoutMs: 10_000,
}

function upTo(incarnation: number): BoxEvent[] {
  const process = {
    ...{ pid: 4_000 + incarnation, startTime: '81234' },
    ...{ bootId: 'bench', pidNamespace: '4026531836' },
  }
  return [
    { type: 'start.requested' },
    { type: 'start.stage', stage: 'preparing', incarnation },
    { type: 'start.stage', stage: 'spawning', incarnation },
    { type: 'vmm.spawned', process, incarnation },
    { type: 'vmm.ready', version: 'v50.0.0', incarnation },
    { type: 'vm.created', incarnation },
    { type: 'vm.booted', incarnation, offset: 120 },
    { type: 'guest.ready', incarnation },
  ]
}

function downFrom(incarnation: number): BoxEvent[] {
  return [
    { type: 'stop.requested', mode: 'graceful' },
    { type: 'stop.rung', rung: 'power-button', result: 'done', incarnation },
    { type: 'vmm.exited', spawned: true, exitCode: 0, last: 'orderly', noShutdown: false, incarnation },
  ]
}

class Writer {
  readonly #db: ClassicLevel<string, string>
  #batch: { type: 'put'; key: string; value: string }[] = []

  constructor(db: ClassicLevel<string, string>) {
    this.#db = db
  }

  async put(key: string, value: string): Promise<void> {
    this.#batch.push({ type: 'put', key, value })
    if (this.#batch.length >= 4_096) await this.flush()
  }

  async flush(): Promise<void> {
    await this.#db.batch(this.#batch)
    this.#batch = []
  }
}
