import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import type { RawResponse } from './raw-client.ts'

export interface RecordedResponse {
  readonly interim?: string
  readonly status?: number
  readonly statusLine?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | null
  readonly bodySummary?: {
    readonly state: string
    readonly memory_actual_size: number
    readonly configKeys: readonly string[]
  }
  readonly serverClosed?: boolean
  readonly timeoutAfterMs?: number
  readonly connectError?: string
  readonly recvError?: string
  readonly extraBytesStart?: string
  readonly extraStatusLines?: number
}

export interface RecordedStep {
  readonly request?: { readonly method: string; readonly path: string; readonly body: string | null }
  readonly requestBytes?: string
  readonly response?: RecordedResponse
  readonly note?: string
  readonly stateAfter?: string
  readonly eventsAfter?: readonly { readonly source: string; readonly event: string }[]
  readonly exit?: { readonly code: number | null; readonly signal: string | null } | null
  readonly statusLine?: string
  readonly body?: string
  readonly raw?: string
}

export interface RecordedFile {
  readonly path: string
  readonly type: string
  readonly mode: string
  readonly size: number
}

export interface RecordedCase {
  readonly label: string
  readonly args: readonly string[]
  readonly steps: readonly RecordedStep[]
  readonly events: readonly unknown[] | null
  readonly exit: { readonly code: number | null; readonly signal: string | null } | null
  readonly filesLeft?: readonly RecordedFile[]
  readonly filesAfterKill?: readonly RecordedFile[]
  readonly serial?: string | null
  readonly stdout?: string | null
  readonly stderrTail?: readonly string[]
}

export interface Recording {
  readonly steps: readonly RecordedStep[]
  readonly cases: readonly RecordedCase[]
  readonly events: readonly { readonly source: string; readonly event: string }[]
  readonly rawText?: string
}

// Compiled tests may lie outside the repository: then it is the working directory.
export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url))) ?? process.cwd()
export const SMALL_GUEST = join(ROOT, 'test/fixtures/test-guest/guest.elf')

export function loadRecording(scenario: string): Recording {
  const file = join(ROOT, 'test/fixtures/cloud-hypervisor/recordings', `${scenario}.json`)
  const {
    steps = [],
    cases = [],
    events = [],
    ...rest
  } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Recording>
  return { steps, cases, events, ...rest }
}

export function eventNames(events: readonly unknown[]): string[] {
  return events.map(event => {
    if (Array.isArray(event)) return event.join('.')
    const { source, event: name } = event as { source: string; event: string }
    return `${source}.${name}`
  })
}

/** Puts the run directory into a recorded text. */
export function fill(text: string, directory: string): string {
  return text.replaceAll('{runDir}', directory)
}

export interface Comparison {
  readonly directory: string
  readonly pid: number
  readonly what: string
  /** The emulator says so in `vmm.ping`. */
  readonly emulator: boolean
  /** The recorded body of the request, before paths are put in. */
  readonly request?: string | null
}

/** Compares an answer with the recorded one: status line, headers in order, body, whether the server closed. */
export function compareResponse(actual: RawResponse, recorded: RecordedResponse, with_: Comparison): void {
  const { what } = with_
  assert.is(actual.statusLine, recorded.statusLine, `${what}: status line (body ${actual.body})`)
  compareBody(hideMacs(actual.body), recorded, with_)
  const length = String(Buffer.byteLength(actual.body))
  // Recorded lengths are those of the text before paths were replaced.
  const headers = Object.entries(recorded.headers ?? {}).map(([name, value]) =>
    name === 'Content-Length' ? [name, length] : [name, value],
  )
  if (recorded.headers !== undefined) assert.equal(actual.headers, headers, `${what}: headers`)
  assert.is(actual.interim, recorded.interim, `${what}: interim answer`)
  if (recorded.serverClosed !== undefined) {
    assert.is(actual.serverClosed, recorded.serverClosed, `${what}: connection closed by the server`)
  }
}

function compareBody(
  actual: string,
  recorded: RecordedResponse,
  { directory, pid, what, emulator, request }: Comparison,
): void {
  if (recorded.bodySummary !== undefined) {
    const { state, memory_actual_size, config } = JSON.parse(actual) as Record<string, object>
    assert.equal(
      { state, memory_actual_size, configKeys: Object.keys(config ?? {}) },
      recorded.bodySummary,
      `${what}: summary`,
    )
    return
  }
  const expected = hideMacs(shiftColumn(fill(recorded.body ?? '', directory), request, directory))
  if (expected.includes('"build_version"')) {
    const ping = JSON.parse(actual) as Record<string, unknown>
    const wanted = JSON.parse(expected) as Record<string, unknown>
    assert.equal(Object.keys(ping), Object.keys(wanted), `${what}: keys of the ping`)
    assert.is(ping.pid, pid, `${what}: pid`)
    assert.is(ping.version, wanted.version, `${what}: version`)
    if (emulator) assert.is(ping.build_version, wanted.build_version, `${what}: build version`)
  } else if (expected.includes('"device_tree"')) {
    const [config = '', tree = ''] = expected.split(',"device_tree":')
    const [actualConfig, actualTree = 'null}'] = actual.split(',"device_tree":')
    assert.is(actualConfig, config, `${what}: configuration and state`)
    assert.equal(JSON.parse(actualTree.slice(0, -1)), JSON.parse(tree.slice(0, -1)), `${what}: device tree`)
  } else if (expected.includes('"read_latency_max"')) {
    assert.equal(sortNumbers(actual), sortNumbers(expected), `${what}: counters`)
  } else {
    assert.is(actual, expected, `${what}: body`)
  }
}

/** Length of the directory that was replaced by `{runDir}`, which columns in error messages still count. */
const RECORDED_DIRECTORY_LENGTH = 23

function shiftColumn(expected: string, request: string | null | undefined, directory: string): string {
  if (request == null) return expected
  return expected.replace(/at line 1 column (\d+)/, (_, column: string) => {
    const recorded = fill(request, '\0'.repeat(RECORDED_DIRECTORY_LENGTH)).slice(0, Number(column))
    const paths = Math.floor((recorded.split('\0').length - 1) / RECORDED_DIRECTORY_LENGTH)
    return `at line 1 column ${Number(column) + paths * (directory.length - RECORDED_DIRECTORY_LENGTH)}`
  })
}

/** Made-up addresses differ from run to run. */
function hideMacs(text: string): string {
  return text.replace(/"(mac|host_mac)":"[0-9a-f:]{17}"/g, '"$1":"a MAC"')
}

/** Counters come in any order, and too large for `JSON.parse`. */
function sortNumbers(text: string): string[] {
  return text.split(/[,{}]+/).sort()
}

function findRoot(directory: string): string | undefined {
  if (existsSync(join(directory, 'test/fixtures/cloud-hypervisor'))) return directory
  const parent = dirname(directory)
  return parent === directory ? undefined : findRoot(parent)
}
