import { type Fault, parseFault } from './faults.ts'
import { formatHelp, USAGE, VERSION } from './help.ts'

export type Target = { readonly path: string } | { readonly fd: number }

export interface Flags {
  readonly apiSocket: Target | undefined
  readonly eventMonitor: Target | undefined
  readonly logFile: string | undefined
  /** How often `-v` was given. */
  readonly verbosity: number
  readonly noShutdown: boolean
  readonly backend: 'qemu' | 'none'
  readonly accel: 'tcg' | 'kvm'
  readonly faults: readonly Fault[]
  /** Values of the flags that describe a VM, by name. */
  readonly vm: ReadonlyMap<string, readonly string[]>
}

/** The program is to print something and exit. */
export interface Notice {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  readonly code: number
}

const SWITCHES = ['no-shutdown', 'landlock', 'pvpanic', 'watchdog', 'help', 'version'] as const
const PROCESS_VALUES = [
  'api-socket',
  'event-monitor',
  'log-file',
  'log-format',
  'seccomp',
  'backend',
  'accel',
  'fault',
] as const
const VM_VALUES = [
  'balloon',
  'cmdline',
  'console',
  'cpus',
  'debug-console',
  'firmware',
  'initramfs',
  'kernel',
  'memory',
  'platform',
  'restore',
  'rng',
  'serial',
  'vsock',
] as const
/** Flags that take several values, up to the next flag. */
const LISTS = ['disk', 'net', 'landlock-rules'] as const

export function parseFlags(words: readonly string[]): Flags | Notice {
  if (words.length === 0) return { stream: 'stderr', text: formatHelp(), code: 2 }
  const values = new Map<string, string[]>()
  let verbosity = 0
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (/^-v+$/.test(word)) {
      verbosity += word.length - 1
      continue
    }
    const { name, value } = splitFlag(word)
    if (name === undefined) return refuse(`unexpected argument '${word}' found`)
    if (SWITCHES.some(each => each === name)) {
      values.set(name, [])
      continue
    }
    const isList = LISTS.some(each => each === name)
    if (!isList && ![...PROCESS_VALUES, ...VM_VALUES].some(each => each === name)) {
      return refuse(`unexpected argument '${word}' found`)
    }
    const taken = value === undefined ? [] : [value]
    const most = isList ? Number.POSITIVE_INFINITY : 1
    while (taken.length < most && index + 1 < words.length && !/^-./.test(words[index + 1] ?? '')) {
      index += 1
      taken.push(words[index] ?? '')
    }
    if (taken.length === 0) {
      return refuse(`a value is required for '--${name} <${name}>' but none was supplied`)
    }
    if (values.has(name) && !isList && name !== 'fault') {
      return refuse(`the argument '--${name} <${name}>' cannot be used multiple times`)
    }
    values.set(name, [...(values.get(name) ?? []), ...taken])
  }
  if (values.has('help')) return { stream: 'stdout', text: formatHelp(), code: 0 }
  if (values.has('version')) return { stream: 'stdout', text: VERSION, code: 0 }
  return toFlags(values, verbosity)
}

function toFlags(values: ReadonlyMap<string, string[]>, verbosity: number): Flags | Notice {
  const first = (name: string): string | undefined => values.get(name)?.[0]
  const backend = first('backend') ?? 'qemu'
  if (backend !== 'qemu' && backend !== 'none') return refuseValue('backend', backend, 'qemu, none')
  const accel = first('accel') ?? 'tcg'
  if (accel !== 'tcg' && accel !== 'kvm') return refuseValue('accel', accel, 'tcg, kvm')
  const seccomp = first('seccomp') ?? 'true'
  if (!['true', 'false', 'log', 'errno'].includes(seccomp)) {
    return refuseValue('seccomp', seccomp, 'true, false, log, errno')
  }
  const faults: Fault[] = []
  for (const spec of values.get('fault') ?? []) {
    const fault = parseFault(spec)
    if (typeof fault === 'string') return refuse(`invalid value for '--fault <fault>': ${fault}`)
    faults.push(fault)
  }
  const vmNames: readonly string[] = [
    ...VM_VALUES,
    'disk',
    'net',
    'landlock',
    'landlock-rules',
    'pvpanic',
    'watchdog',
  ]
  return {
    apiSocket: toTarget(first('api-socket')),
    eventMonitor: toTarget(first('event-monitor')),
    logFile: first('log-file'),
    verbosity,
    noShutdown: values.has('no-shutdown'),
    backend,
    accel,
    faults,
    vm: new Map([...values].filter(([name]) => vmNames.includes(name))),
  }
}

function splitFlag(word: string): { name: string | undefined; value: string | undefined } {
  if (word === '-V') return { name: 'version', value: undefined }
  if (word === '-h') return { name: 'help', value: undefined }
  if (!word.startsWith('--') || word === '--') return { name: undefined, value: undefined }
  const equals = word.indexOf('=')
  if (equals < 0) return { name: word.slice(2), value: undefined }
  return { name: word.slice(2, equals), value: word.slice(equals + 1) }
}

/** `PATH`, `path=PATH` or `fd=N`. */
function toTarget(value: string | undefined): Target | undefined {
  if (value === undefined) return undefined
  if (/^fd=[0-9]+$/.test(value)) return { fd: Number(value.slice('fd='.length)) }
  return { path: value.startsWith('path=') ? value.slice('path='.length) : value }
}

function refuse(problem: string): Notice {
  return {
    stream: 'stderr',
    text: `error: ${problem}\n\n${USAGE}\n\nFor more information, try '--help'.\n`,
    code: 2,
  }
}

function refuseValue(name: string, value: string, possible: string): Notice {
  return refuse(`invalid value '${value}' for '--${name} <${name}>'\n  [possible values: ${possible}]`)
}
