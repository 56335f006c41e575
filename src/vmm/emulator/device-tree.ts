import type { VmConfig } from './config/vm-config.ts'

interface PciBar {
  readonly PciBar: {
    readonly index: 0
    readonly base: number
    readonly size: number
    readonly type_: 'Mmio32' | 'Mmio64'
    readonly prefetchable: false
  }
}

interface DeviceNode {
  readonly id: string
  readonly resources: PciBar[]
  readonly parent?: string
  readonly children: string[]
  readonly pci_bdf?: string
}

const BAR_BYTES = 0x80000
const LOW_BAR_TOP = 0xe8000000
const HIGH_BAR_TOP = 0x3fffff800000
const HIGH_BAR_STEP = 0x800000

/** The device tree of `vm.info`, with the addresses the real one gives to the same devices. */
export class DeviceTree {
  private readonly nodes: Record<string, DeviceNode> = {}
  private slots = 0
  private lowBars = 0
  private highBars = 0
  private named = 0

  constructor(config: VmConfig) {
    for (const id of ['__serial', '__ioapic']) this.nodes[id] = { id, resources: [], children: [] }
    if (config.console.mode !== 'Off') this.add('__console')
    for (const disk of config.disks ?? []) {
      disk.id ??= this.name('_disk')
      this.add(disk.id, 'low')
    }
    for (const net of config.net ?? []) {
      net.id ??= this.name('_net')
      this.add(net.id)
    }
    this.add('__rng')
    if (config.balloon !== undefined) this.add(config.balloon.id ?? '__balloon')
    for (const pmem of config.pmem ?? []) {
      pmem.id ??= this.name('_pmem')
      this.add(pmem.id)
    }
    if (config.vsock !== undefined) {
      config.vsock.id ??= this.name('_vsock')
      this.add(config.vsock.id)
    }
    if (config.watchdog) this.add('__watchdog')
    if (config.pvpanic) this.addPvpanic()
  }

  has(id: string): boolean {
    return Object.hasOwn(this.nodes, id)
  }

  isPci(id: string): boolean {
    return this.has(`_virtio-pci-${id}`)
  }

  /** A name not given by the user: `_disk0`, `_net1`. */
  name(prefix: string): string {
    for (;;) {
      const name = `${prefix}${this.named}`
      this.named += 1
      if (!this.has(name)) return name
    }
  }

  /** Adds a virtio device in the next free slot; gives its address. */
  add(id: string, bar: 'low' | 'high' = 'high'): string {
    const parent = `_virtio-pci-${id}`
    const bdf = this.nextBdf()
    const resource = bar === 'low' ? this.lowBar() : this.highBar()
    this.nodes[parent] = { id: parent, resources: [resource], children: [id], pci_bdf: bdf }
    this.nodes[id] = { id, resources: [], parent, children: [] }
    return bdf
  }

  toJSON(): Record<string, DeviceNode> {
    return this.nodes
  }

  private addPvpanic(): void {
    const resources = [pciBar(LOW_BAR_TOP - 16, 2, 'Mmio32')]
    this.nodes.__pvpanic = { id: '__pvpanic', resources, children: [], pci_bdf: this.nextBdf() }
  }

  private nextBdf(): string {
    this.slots += 1
    return `0000:00:${this.slots.toString(16).padStart(2, '0')}.0`
  }

  private lowBar(): PciBar {
    this.lowBars += 1
    return pciBar(LOW_BAR_TOP - this.lowBars * BAR_BYTES, BAR_BYTES, 'Mmio32')
  }

  private highBar(): PciBar {
    const base = HIGH_BAR_TOP - this.highBars * HIGH_BAR_STEP
    this.highBars += 1
    return pciBar(base, BAR_BYTES, 'Mmio64')
  }
}

function pciBar(base: number, size: number, type_: 'Mmio32' | 'Mmio64'): PciBar {
  return { PciBar: { index: 0, base, size, type_, prefetchable: false } }
}
