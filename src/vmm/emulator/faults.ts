/**
 * Faults on request: `--fault SPEC`, repeatable, or a word `boxledger.fault=SPEC` on a guest's command line, which
 * counts from its `vm.create` on.
 *
 *     SPEC = KIND[:CALL][,KEY=VALUE]...
 *     CALL = a call's name without the root, e.g. vm.boot, vmm.ping; `*` (the default) is every call
 *
 *     hang:CALL                      the call never ends; like the real one, nothing else is answered then either
 *     slow:CALL,ms=N                 waits N ms, then does it
 *     die:CALL[,when=before|after]   the process kills itself (SIGKILL) before (default) or after doing the call,
 *              [,exit=CODE]          or exits with CODE; no answer either way
 *     answer:CALL[,status=N]         wrong answer: status N (default 500) and the text TEXT (default not JSON);
 *              [,when=before|after]  the call is not done (before, default) or done (after)
 *              [,body=TEXT]          TEXT runs to the end of SPEC
 *     cut:CALL[,when=before|after]   the connection is cut, the call not done (before) or done (after, default)
 *     garbage:CALL[,body=TEXT]       TEXT instead of an HTTP answer
 *     endless:CALL                   an answer whose body never ends
 *     slow-start,ms=N                waits N ms before the API socket is made
 *     no-socket                      the API socket is never made
 *     exit-at-start[,code=N]         exits (default 1) before the API socket is made
 *     ignore-sigterm                 SIGTERM and SIGINT do nothing
 *     ignore-power-button            the guest never powers off when asked to
 *     silent-guest                   the fake guest of `--backend none` never says `boxledger: ready`
 *     lose-events                    the events of the orderly end are not written
 *     flood-events[,mibps=N][,ms=N]  from the boot on N MiB a second (default 20), for so long (default for ever), of events:
 *              [,events=A+B...]      those named, e.g. vm/paused+vm/resumed (default vm/rebooted)
 *     flood-serial, flood-console    the same of lines with the word TEXT that a guest prints on its serial port, on its
 *     flood-log, flood-output        console; that the VMM writes to its log; to its standard output and standard error
 *              [,mibps=N][,ms=N][,body=TEXT]
 *
 * A call's fault takes `nth=N` (the N-th matching call only, from 1) or `times=N` (the first N only).
 */

const CALL_KINDS = ['hang', 'slow', 'die', 'answer', 'cut', 'garbage', 'endless'] as const
const PROCESS_KINDS = [
  'slow-start',
  'no-socket',
  'exit-at-start',
  'ignore-sigterm',
  'ignore-power-button',
  'silent-guest',
  'lose-events',
] as const
const FLOOD_KINDS = ['flood-events', 'flood-serial', 'flood-console', 'flood-log', 'flood-output'] as const

type CallKind = (typeof CALL_KINDS)[number]
type ProcessKind = (typeof PROCESS_KINDS)[number]
type FloodKind = (typeof FLOOD_KINDS)[number]

export interface Fault {
  readonly kind: CallKind | ProcessKind | FloodKind
  readonly call: string
  readonly when: 'before' | 'after'
  readonly ms: number
  /** Whether `ms` was given. */
  readonly lasts: boolean
  readonly mibps: number
  /** Names of events, as `vm/booted`. */
  readonly events: readonly string[]
  readonly status: number
  readonly body: string
  /** Exit code of `die` and `exit-at-start`. */
  readonly code: number | undefined
  readonly nth: number | undefined
  readonly times: number | undefined
}

const KEYS = ['when', 'ms', 'status', 'body', 'exit', 'code', 'nth', 'times', 'mibps', 'events']

/** Reads one SPEC; a message instead where it is not one. */
export function parseFault(spec: string): Fault | string {
  const comma = spec.indexOf(',')
  const head = comma < 0 ? spec : spec.slice(0, comma)
  const [name = '', call = '*'] = head.split(':', 2)
  const kind = [...CALL_KINDS, ...PROCESS_KINDS, ...FLOOD_KINDS].find(each => each === name)
  if (kind === undefined) return `unknown fault '${name}'`
  const values = new Map<string, string>()
  let rest = comma < 0 ? '' : spec.slice(comma + 1)
  while (rest !== '') {
    const equals = rest.indexOf('=')
    const key = rest.slice(0, Math.max(0, equals))
    if (!KEYS.includes(key)) return `unknown setting in fault '${spec}': '${rest}'`
    const end = key === 'body' ? -1 : rest.indexOf(',')
    values.set(key, end < 0 ? rest.slice(equals + 1) : rest.slice(equals + 1, end))
    rest = end < 0 ? '' : rest.slice(end + 1)
  }
  const when = values.get('when') ?? (kind === 'cut' ? 'after' : 'before')
  if (when !== 'before' && when !== 'after') return `when= is before or after in fault '${spec}'`
  for (const key of ['ms', 'status', 'exit', 'code', 'nth', 'times', 'mibps']) {
    const value = values.get(key)
    if (value !== undefined && !/^[0-9]+$/.test(value)) return `${key}= takes a number in fault '${spec}'`
  }
  const number = (key: string): number | undefined => (values.has(key) ? Number(values.get(key)) : undefined)
  return {
    kind,
    call,
    when,
    ms: number('ms') ?? 1000,
    lasts: values.has('ms'),
    mibps: number('mibps') ?? 20,
    events: (values.get('events') ?? 'vm/rebooted').split('+'),
    status: number('status') ?? 500,
    body: values.get('body') ?? 'boxledger-vmm: garbage <by request>',
    code: number('exit') ?? number('code'),
    nth: number('nth'),
    times: number('times'),
  }
}

/** The faults asked for, and how often each has struck. */
export class FaultPlan {
  private readonly faults: { readonly fault: Fault; seen: number }[] = []

  constructor(faults: readonly Fault[]) {
    for (const fault of faults) this.add(fault)
  }

  add(fault: Fault): void {
    this.faults.push({ fault, seen: 0 })
  }

  find(kind: ProcessKind): Fault | undefined {
    return this.faults.find(({ fault }) => fault.kind === kind)?.fault
  }

  /** The floods asked for, each once. */
  takeFloods(): Fault[] {
    const floods = this.faults.filter(({ fault, seen }) => isFlood(fault.kind) && seen === 0)
    for (const flood of floods) flood.seen += 1
    return floods.map(({ fault }) => fault)
  }

  /** The faults that strike this call, in the order they were asked for. */
  strike(call: string): Fault[] {
    return this.faults
      .filter(({ fault }) => isCallKind(fault.kind) && (fault.call === '*' || fault.call === call))
      .filter(entry => {
        entry.seen += 1
        const { nth, times } = entry.fault
        return (nth === undefined || entry.seen === nth) && (times === undefined || entry.seen <= times)
      })
      .map(({ fault }) => fault)
  }
}

/** The faults named on a guest's command line. */
export function findFaultWords(cmdline: string): Fault[] {
  const prefix = 'boxledger.fault='
  return cmdline
    .split(/\s+/)
    .filter(word => word.startsWith(prefix))
    .map(word => parseFault(word.slice(prefix.length)))
    .filter(fault => typeof fault !== 'string')
}

function isCallKind(kind: Fault['kind']): boolean {
  return CALL_KINDS.some(each => each === kind)
}

function isFlood(kind: Fault['kind']): boolean {
  return FLOOD_KINDS.some(each => each === kind)
}
