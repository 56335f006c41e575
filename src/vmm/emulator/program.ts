import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createApi, nameCall } from './api.ts'
import { ApiError, describeSystemError, failed } from './api-error.ts'
import { openApiSocket } from './api-socket.ts'
import { loadBackend } from './backend/load.ts'
import { unlinkIfThere } from './backend/serial-port.ts'
import { EventMonitor } from './event-monitor.ts'
import { FaultPlan, findFaultWords } from './faults.ts'
import { withFaults } from './faulty-api.ts'
import type { Flags } from './flags.ts'
import { beginFloods } from './flood.ts'
import { createHttpServer, type Handler } from './http/server.ts'
import { Log } from './log.ts'
import { restoreSnapshot } from './snapshots.ts'
import { Vmm } from './vmm.ts'

/** Runs the VMM until it ends; the process exits from within. */
export async function run(flags: Flags): Promise<void> {
  const log = new Log(flags.logFile, flags.verbosity)
  try {
    await start(flags, log)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    log.print(formatChain(error.chain))
    process.exit(1)
  }
}

async function start(flags: Flags, log: Log): Promise<void> {
  log.write('info', 'v53.0.0 starting')
  const plan = new FaultPlan(flags.faults)
  const events = openEventMonitor(flags, plan)
  events.write({ source: 'vmm', event: 'starting' })
  log.write('info', 'Event: source = vmm event = starting')
  const queue = new Queue()
  const vmm = new Vmm({
    backend: loadBackend(flags.backend, {
      accel: flags.accel,
      qemuBinary: process.env.BOXLEDGER_QEMU ?? 'qemu-system-x86_64',
      socketDirectory: findSocketDirectory(flags),
      powerButtonIgnored: plan.find('ignore-power-button') !== undefined,
      silent: plan.find('silent-guest') !== undefined,
      log,
    }),
    events,
    log,
    noShutdown: flags.noShutdown,
    exit: code => {
      queue.stop()
      if (code === 0) {
        if (flags.apiSocket !== undefined && 'path' in flags.apiSocket) unlinkIfThere(flags.apiSocket.path)
        log.write('info', 'Cloud Hypervisor exited successfully')
      }
      process.exit(code)
    },
    enqueue: task => void queue.run(task),
  })
  followSignals(vmm, queue, log, plan)
  await misbehaveAtStart(plan)
  if (flags.apiSocket !== undefined && plan.find('no-socket') === undefined) {
    await openApiSocket(createHttpServer(toHandler(vmm, queue, plan, { events, log })), flags.apiSocket)
  }
  await queue.run(() => startFromFlags(vmm, flags, log))
}

function openEventMonitor(flags: Flags, plan: FaultPlan): EventMonitor {
  const losesLast = plan.find('lose-events') !== undefined
  try {
    return new EventMonitor(flags.eventMonitor, losesLast)
  } catch (error) {
    throw failed('Error doing event monitor I/O', describeSystemError(error))
  }
}

function findSocketDirectory({ apiSocket }: Flags): string {
  return apiSocket !== undefined && 'path' in apiSocket ? dirname(apiSocket.path) : tmpdir()
}

function toHandler(
  vmm: Vmm,
  queue: Queue,
  plan: FaultPlan,
  { events, log }: { readonly events: EventMonitor; readonly log: Log },
): Handler {
  const api = createApi(vmm)
  const handle = withFaults(async request => {
    const response = await api(request)
    if (response.status >= 400) log.write('info', `HTTP API error response: ${response.body}`)
    if (nameCall(request.path) === 'vm.create') {
      for (const fault of findFaultWords(vmm.config?.payload?.cmdline ?? '')) plan.add(fault)
    }
    if (nameCall(request.path) === 'vm.boot') beginFloods(plan, { vmm, events, log })
    return response
  }, plan)
  return request => queue.run(() => handle(request))
}

/** A VM given on the command line. Its failure ends the process, and leaves the socket. */
async function startFromFlags(vmm: Vmm, flags: Flags, log: Log): Promise<void> {
  if (flags.vm.size === 0) return
  const { configFromFlags, restoreFromFlags } = await import('./config/command-line.ts')
  let outer = ['Error parsing config']
  try {
    const restore = restoreFromFlags(flags.vm)
    const config = configFromFlags(flags.vm)
    if (restore !== undefined) {
      outer = ['Error restoring VM', 'The VM could not be restored']
      await restoreSnapshot(vmm, {
        ...restore,
        prefault: false,
        net_fds: undefined,
        memory_restore_mode: 'Copy',
      })
    } else if (config !== undefined) {
      outer = ['Error booting VM', 'The VM could not boot']
      await vmm.create(config)
      await vmm.boot()
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const chain = error.chain[0] === outer[0] ? error.chain : [...outer, ...error.chain]
    log.print(formatChain(chain))
    await vmm.end(1)
  }
}

/** SIGTERM and SIGINT end in order, after the call in progress; every other signal does what it does by default. */
function followSignals(vmm: Vmm, queue: Queue, log: Log, plan: FaultPlan): void {
  const ignored = plan.find('ignore-sigterm') !== undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.write('info', 'VM exit event')
      if (!ignored) void queue.run(() => vmm.end())
    })
  }
  // Node would start its debugger; once the listener is gone the signal kills, as it should.
  process.once('SIGUSR1', () => process.kill(process.pid, 'SIGUSR1'))
}

async function misbehaveAtStart(plan: FaultPlan): Promise<void> {
  const slow = plan.find('slow-start')
  if (slow !== undefined) await delay(slow.ms)
  const exit = plan.find('exit-at-start')
  if (exit !== undefined) process.exit(exit.code ?? 1)
  // Something must keep the process alive that has no socket.
  if (plan.find('no-socket') !== undefined) setInterval(() => undefined, 1 << 30)
}

function formatChain(chain: readonly string[]): string {
  const lines = chain.map((message, index) => `  ${index}: ${message}\n`)
  return `Error: Cloud Hypervisor exited with the following chain of errors:\n${lines.join('')}`
}

/** Does one thing after the other: calls, what the guest did, signals. */
class Queue {
  private last: Promise<unknown> = Promise.resolve()
  private stopped = false

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(() => (this.stopped ? new Promise<never>(() => undefined) : task()))
    // A task that fails unexpectedly is a bug: it must not be mistaken for an orderly end.
    this.last = result.catch(error => {
      process.stderr.write(`boxledger-vmm: ${error instanceof Error ? error.stack : error}\n`)
      process.exit(1)
    })
    return result
  }

  stop(): void {
    this.stopped = true
  }
}
