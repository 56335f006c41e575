import { type Boundary, type BoxSpec, noBoundary, quoted, type VmPresence } from '../../machines/index.ts'
import { type Answer, isObject, objectOf } from './answer.ts'
import { ApiError } from './api-error.ts'
import { type Counters, countersIn, isCount } from './counters.ts'
import { Transport } from './http.ts'
import type { VmConfig } from './vm-config.ts'

export interface Ping {
  readonly version: string
  /** the VMM's own, in its own pid namespace */
  readonly pid: number | undefined
  /** what it says it can do; absent where it says nothing */
  readonly features?: readonly string[]
}

/** A VMM's version, with what it can do. */
export function vmmLabel({ version, features = [] }: Pick<Ping, 'version' | 'features'>): string {
  return features.length === 0 ? version : `${version} (${features.join(', ')})`
}

/** How long a VMM may take to write or to read a VM's memory, in `ms`: a little longer than the machine waits. */
export function memoryLimitMs({ memoryMib }: BoxSpec): number {
  return 65_000 + 4 * memoryMib
}

export interface VmInfo {
  readonly vm: Exclude<VmPresence, 'none'>
  /** as the VMM has understood it */
  readonly config: Readonly<Record<string, unknown>>
  /** the guest's, balloon and hot-plugged memory counted, in `bytes` */
  readonly memoryBytes: number | undefined
}

export type { Counters }

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** in `ms` */
  readonly limitMs?: number
}

/** Calls that change the VM or the VMM and carry nothing, with their time limits in `ms`. */
const actions = {
  'vm.boot': 65_000,
  'vm.pause': 5_000,
  'vm.resume': 5_000,
  'vm.power-button': 5_000,
  'vm.shutdown': 10_000,
  'vmm.shutdown': 5_000,
} as const

/** Whatever a version looks like, it is short: it ends up in the ledger. */
const versionPattern = /^[\w.+~ -]{1,64}$/

export type Action = keyof typeof actions

const presences: Readonly<Record<string, VmInfo['vm']>> = {
  Created: 'created',
  Shutdown: 'created',
  Running: 'running',
  BreakPoint: 'running',
  Paused: 'paused',
}

/** The endpoints in use. Every method throws ApiError. */
export class Client {
  readonly #transport: Transport
  readonly #boundary: Boundary

  /** @param boundary told before and after each call that changes something */
  constructor(socket: string, boundary: Boundary = noBoundary) {
    this.#transport = new Transport(socket)
    this.#boundary = boundary
  }

  /** A call is under way: until it is over the VMM answers no other. */
  get isBusy(): boolean {
    return this.#transport.pending > 0
  }

  async ping({ signal, limitMs = 2_000 }: CallOptions = {}): Promise<Ping> {
    const answer = await this.#transport.call({ method: 'GET', name: 'vmm.ping', limitMs, signal })
    const { version, build_version: build, pid, features } = objectAt('vmm.ping', answer)
    const name = typeof version === 'string' ? version : typeof build === 'string' ? build : undefined
    if (name === undefined || !versionPattern.test(name))
      throw new ApiError('garbled', `vmm.ping was answered with the version ${quoted(name)}`)
    return { version: name, pid: typeof pid === 'number' ? pid : undefined, ...featuresIn(features) }
  }

  /** Undefined if the VMM has no VM. */
  async info({ signal, limitMs = 5_000 }: CallOptions = {}): Promise<VmInfo | undefined> {
    try {
      const answer = await this.#transport.call({ method: 'GET', name: 'vm.info', limitMs, signal })
      const { state, config, memory_actual_size: memory } = objectAt('vm.info', answer)
      const vm = typeof state === 'string' && Object.hasOwn(presences, state) ? presences[state] : undefined
      if (vm === undefined || !isObject(config))
        throw new ApiError('garbled', `vm.info was answered with the state ${quoted(state)}`)
      return { vm, config, memoryBytes: isCount(memory) ? memory : undefined }
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'absent') return undefined
      throw error
    }
  }

  /** Undefined if no VM runs. */
  async counters({ signal, limitMs = 5_000 }: CallOptions = {}): Promise<Counters | undefined> {
    try {
      const answer = await this.#transport.call({ method: 'GET', name: 'vm.counters', limitMs, signal })
      return countersIn(objectAt('vm.counters', answer))
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'absent') return undefined
      throw error
    }
  }

  async create(config: VmConfig, { signal, limitMs = 10_000 }: CallOptions = {}): Promise<void> {
    const body = JSON.stringify(config)
    this.#boundary('before vm.create')
    await this.#transport.call({ method: 'PUT', name: 'vm.create', body, limitMs, signal })
    this.#boundary('after vm.create')
  }

  /** Has the paused VM written to an empty directory. */
  async save(
    dir: string,
    { signal, limitMs }: Required<Pick<CallOptions, 'limitMs'>> & CallOptions,
  ): Promise<void> {
    await this.#take('vm.snapshot', { destination_url: `file://${dir}` }, limitMs, signal)
  }

  /** Makes the VM that a directory holds, paused. */
  async restore(
    dir: string,
    { signal, limitMs }: Required<Pick<CallOptions, 'limitMs'>> & CallOptions,
  ): Promise<void> {
    await this.#take('vm.restore', { source_url: `file://${dir}` }, limitMs, signal)
  }

  async #take(
    name: 'vm.snapshot' | 'vm.restore',
    content: object,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const body = JSON.stringify(content)
    this.#boundary(`before ${name}`)
    await this.#transport.call({ method: 'PUT', name, body, limitMs, signal })
    this.#boundary(`after ${name}`)
  }

  async act(name: Action, { signal, limitMs = actions[name] }: CallOptions = {}): Promise<void> {
    this.#boundary(`before ${name}`)
    await this.#transport.call({ method: 'PUT', name, limitMs, signal })
    this.#boundary(`after ${name}`)
  }

  close(): void {
    this.#transport.close()
  }
}

/** Short words, and not too many: they end up in the ledger. */
function featuresIn(value: unknown): Pick<Ping, 'features'> {
  const all = Array.isArray(value) ? value : []
  const features = all.filter(word => typeof word === 'string' && /^[\w.-]{1,32}$/.test(word)).slice(0, 16)
  return features.length === 0 ? {} : { features }
}

function objectAt(name: string, answer: Answer): Readonly<Record<string, unknown>> {
  const value = objectOf(answer)
  if (value === undefined) throw new ApiError('garbled', `${name} was answered with no JSON object`)
  return value
}
