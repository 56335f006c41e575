import { ApiError, alreadyCreated, failed, notCreated, notRunning, Panic } from './api-error.ts'
import type { Backend, Happening } from './backend/backend.ts'
import { openSerialPort } from './backend/serial-port.ts'
import { checkLandlock } from './config/validation.ts'
import { sumMemory, type VmConfig } from './config/vm-config.ts'
import { formatCounters } from './counters.ts'
import type { EventMonitor } from './event-monitor.ts'
import type { Log } from './log.ts'
import { makeMac } from './mac-address.ts'
import { dropVm, makeVm, type Ports, startVm, type Vm } from './vm.ts'

export interface VmmOptions {
  readonly backend: Backend
  readonly events: EventMonitor
  readonly log: Log
  /** `--no-shutdown`: the process outlives its guest's power-off. */
  readonly noShutdown: boolean
  /** Ends the process. */
  readonly exit: (code: number) => void
  /** Runs a task after the calls in progress, as the one thread of the real one does. */
  readonly enqueue: (task: () => Promise<void>) => void
}

/** The VMM: at most one VM, and the calls that change it. Calls must come one at a time. */
export class Vmm {
  config: VmConfig | undefined
  vm: Vm | undefined
  readonly backend: Backend
  private readonly options: VmmOptions
  private ports: Ports | undefined

  constructor(options: VmmOptions) {
    this.options = options
    this.backend = options.backend
  }

  /** Stores the configuration; nothing in it is checked before boot. A failure here leaves it stored. */
  async create(config: VmConfig): Promise<void> {
    if (this.config !== undefined) throw alreadyCreated()
    if (config.serial.mode === 'File' && config.serial.file === undefined)
      throw new Panic('serial file missing')
    this.config = config
    for (const net of config.net ?? []) net.mac ??= makeMac()
    this.ports = await openPorts(config)
    checkLandlock(config)
  }

  async boot(): Promise<void> {
    if (this.vm !== undefined) throw alreadyCreated()
    this.emit('booting')
    const config = this.config
    if (config === undefined) throw new ApiError(404, ['VM config is missing'])
    await this.start(config)
    this.emit('booted')
  }

  info(): string {
    const config = this.config
    if (config === undefined) throw notCreated()
    const vm = this.vm
    return JSON.stringify({
      config,
      state: vm?.state ?? 'Created',
      memory_actual_size: sumMemory(config),
      ...(vm === undefined ? {} : { device_tree: vm.devices }),
    })
  }

  counters(): string {
    const { config } = this
    if (config === undefined || this.vm === undefined) throw notRunning()
    return formatCounters(config)
  }

  async pause(): Promise<void> {
    const vm = this.needVm()
    this.emit('pausing')
    if (vm.state !== 'Running') throw badTransition('pause', vm.state, 'Paused')
    await vm.guest?.pause()
    vm.state = 'Paused'
    this.emit('paused')
  }

  async resume(): Promise<void> {
    const vm = this.needVm()
    this.emit('resuming')
    if (vm.state !== 'Paused') throw badTransition('resume', vm.state, 'Running')
    await vm.guest?.resume()
    vm.state = 'Running'
    this.emit('resumed')
  }

  async shutdown(): Promise<void> {
    const vm = this.needVm()
    this.vm = undefined
    await dropVm(vm)
    this.emit('shutdown')
  }

  async reboot(): Promise<void> {
    this.emit('rebooting')
    const { vm, config } = this
    if (vm === undefined || config === undefined) throw notCreated()
    this.vm = undefined
    await dropVm(vm)
    await this.start(config)
    this.emit('rebooted')
  }

  async delete(): Promise<void> {
    if (this.config === undefined) return
    if (this.vm !== undefined) await this.shutdown()
    this.forget()
    this.emit('deleted')
  }

  async pressPowerButton(): Promise<void> {
    await this.needVm().guest?.pressPowerButton()
  }

  async injectNmi(): Promise<void> {
    await this.needVm().guest?.injectNmi()
  }

  /** Takes over a saved guest, paused. */
  async restore(config: VmConfig, directory: string): Promise<void> {
    this.config = config
    try {
      this.ports = await openPorts(config)
      const vm = await makeVm(config)
      this.vm = vm
      this.emit('restoring')
      await startVm(vm, this.startOf(config, vm, directory))
    } catch (error) {
      // A failed restore leaves no VM.
      if (this.vm !== undefined) await dropVm(this.vm)
      this.vm = undefined
      this.forget()
      this.emit('deleted')
      throw error
    }
    this.emit('restored')
  }

  /** The orderly end: the VM's plug is pulled, then the process goes. */
  async end(code = 0): Promise<void> {
    await this.windUp()
    this.exit(code)
  }

  async windUp(): Promise<void> {
    await this.delete()
    this.options.events.write({ source: 'vmm', event: 'shutdown' })
    this.options.log.write('info', 'Event: source = vmm event = shutdown')
  }

  exit(code: number): void {
    this.options.exit(code)
  }

  emit(event: string): void {
    this.options.events.write({ source: 'vm', event })
    this.options.log.write('info', `Event: source = vm event = ${event}`)
  }

  /** What a guest prints by itself. */
  print(port: keyof Ports, bytes: Uint8Array): void {
    this.ports?.[port].write(bytes)
  }

  needVm(): Vm {
    if (this.vm === undefined) throw notRunning()
    return this.vm
  }

  private async start(config: VmConfig): Promise<void> {
    this.ports?.serial.renew()
    this.ports?.console.renew()
    const vm = await makeVm(config)
    this.vm = vm
    await startVm(vm, this.startOf(config, vm))
  }

  private startOf(config: VmConfig, vm: Vm, restoreFrom?: string) {
    if (this.ports === undefined) throw failed('Error creating console devices')
    return {
      backend: this.backend,
      config,
      ports: this.ports,
      ...(restoreFrom === undefined ? {} : { restoreFrom }),
      // What a guest did that is gone by then is of no interest.
      tell: (happening: Happening) =>
        this.options.enqueue(async () => {
          if (this.vm === vm) await this.follow(happening)
        }),
    }
  }

  private async follow(happening: Happening): Promise<void> {
    const { events, log, noShutdown } = this.options
    switch (happening) {
      case 'panic':
        events.write({ source: 'guest', event: 'panic', properties: { event: 'panic' } })
        log.write('info', 'Event: source = guest event = panic event = panic')
        break
      case 'reset':
        try {
          await this.reboot()
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
          log.print(
            `Error: Cloud Hypervisor exited with the following chain of errors:\n  0: ${error.message}\n`,
          )
          this.options.exit(1)
        }
        break
      case 'power-off':
        log.write('info', 'ACPI Shutdown signalled')
        if (noShutdown) await this.shutdown()
        else await this.end()
        break
      case 'vcpu-error':
        // The only trace of it: events and exit code are those of a power-off.
        log.print('VCPU generated error: VcpuRun(Failed to run vcpu\n')
        await this.end()
    }
  }

  private forget(): void {
    this.ports?.serial.close()
    this.ports?.console.close()
    this.ports = undefined
    this.config = undefined
  }
}

async function openPorts(config: VmConfig): Promise<Ports> {
  const serial = await openSerialPort(config.serial)
  return { serial, console: await openSerialPort(config.console) }
}

function badTransition(verb: string, from: string, to: string): ApiError {
  return failed(
    `Cannot ${verb} VM`,
    `Failed to ${verb} migratable component`,
    `Invalid transition: InvalidStateTransition(${from}, ${to})`,
  )
}
