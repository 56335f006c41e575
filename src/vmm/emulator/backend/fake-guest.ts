import type { Happening } from './backend.ts'

export interface FakeGuestOptions {
  readonly cmdline: string
  readonly pvpanic: boolean
  readonly hasInitramfs: boolean
  readonly powerButtonIgnored: boolean
  /** Whether it never says that it is ready. */
  readonly silent: boolean
  readonly print: (text: string) => void
  readonly tell: (happening: Happening) => void
}

const SMALL_GUEST_MODES = ['off', 'reset', 'triple', 'panic', 'late', 'tick', 'echo', 'spin', 'idle'] as const

type Mode = (typeof SMALL_GUEST_MODES)[number]

/**
 * Stands in for a guest. With a `mode=` word on its command line it prints and does what the small test guest does,
 * which knows no power button. Without one it behaves like the built-in Linux guest seen from outside: it says
 * `boxledger: ready`, and has an agent, if it has that guest's initramfs or is asked to by `boxledger.init`, obeys the power button, and
 * ends with the main command that `boxledger.exit=CODE` (and `boxledger.exit-after=MS`) stand for.
 */
export class FakeGuest {
  ticks = 0
  /** It has said so. */
  isReady = false
  private readonly options: FakeGuestOptions
  private readonly mode: Mode | undefined
  private running = false
  private gone = false
  private next: { readonly act: () => void; left: number } | undefined
  private timer: NodeJS.Timeout | undefined
  private wokenAt = 0
  private buttonPressed = false

  constructor(options: FakeGuestOptions) {
    this.options = options
    this.mode = SMALL_GUEST_MODES.find(mode => options.cmdline.includes(`mode=${mode}`))
  }

  boot(): void {
    this.running = true
    if (this.mode === undefined) this.bootSystem()
    else {
      this.print(`guest: hello, cmdline=${this.options.cmdline}\n`)
      this.later(100, () => this.act())
    }
  }

  /** Paused, in the middle of what the saved guest did. */
  restore(ticks: number): void {
    this.ticks = ticks
    if (this.mode === 'tick') this.next = { left: 200, act: () => this.tick() }
  }

  pause(): void {
    this.running = false
    clearTimeout(this.timer)
    if (this.next !== undefined) this.next.left = Math.max(0, this.next.left - (Date.now() - this.wokenAt))
  }

  resume(): void {
    this.running = true
    this.arm()
    if (this.buttonPressed) this.pressPowerButton()
  }

  pressPowerButton(): void {
    if (this.mode !== undefined || this.options.powerButtonIgnored) return
    // A paused guest sees the button when it goes on.
    this.buttonPressed = true
    if (this.running) this.later(20, () => this.powerOff('boxledger-vmm: power button, powering off\n'))
  }

  /** The small guest has no interrupt table: an NMI makes it triple-fault. */
  injectNmi(): void {
    if (this.running && this.mode !== undefined) this.end('reset')
  }

  /** Input on the serial port, which only `mode=echo` looks at. */
  hear(text: string): void {
    if (this.mode !== 'echo' || !this.running || this.gone) return
    for (const character of text) {
      this.print(`guest: got ${character}\n`)
      if (character === 'q') this.powerOff('guest: poweroff\n')
      if (character === 'r') this.reset()
      if (character === 't') this.faultTriply()
      if (character === 'p') this.panic()
    }
  }

  cut(): void {
    this.gone = true
    this.running = false
    clearTimeout(this.timer)
  }

  private bootSystem(): void {
    this.print('boxledger-vmm: no guest\n')
    const speaks = (this.options.hasInitramfs || this.hasWord('boxledger.init')) && !this.options.silent
    if (speaks) {
      this.print('boxledger: ready\n')
      this.isReady = true
    }
    const code = this.valueOf('boxledger.exit')
    if (code === undefined) return
    this.later(Number(this.valueOf('boxledger.exit-after') ?? 10), () =>
      this.powerOff(`boxledger: command exited ${code}\n`),
    )
  }

  private act(): void {
    switch (this.mode) {
      case 'off':
        this.powerOff('guest: poweroff\n')
        break
      case 'late':
        this.later(3000, () => this.powerOff('guest: poweroff\n'))
        break
      case 'reset':
        this.reset()
        break
      case 'triple':
        this.faultTriply()
        break
      case 'panic':
        this.panic()
        this.later(200, () => this.powerOff('guest: poweroff\n'))
        break
      case 'tick':
        this.tick()
        break
      case 'echo':
        this.print('guest: ready\n')
        break
      case 'spin':
        this.print('guest: spinning\n')
        break
      default:
        this.print('guest: idle\n')
    }
  }

  private tick(): void {
    this.print(`guest: tick ${this.ticks}\n`)
    this.ticks += 1
    this.later(200, () => this.tick())
  }

  private panic(): void {
    this.print('guest: panic\n')
    if (!this.options.pvpanic) {
      this.print('guest: no pvpanic device\n')
      return
    }
    this.print('pvpanic at e7fffff0\n')
    this.options.tell('panic')
    this.print('guest: panic notified\n')
  }

  private powerOff(lastWords: string): void {
    this.print(lastWords)
    this.end('power-off')
  }

  private reset(): void {
    this.print('guest: reset\n')
    this.end('reset')
  }

  /** As recorded on a KVM that reports a triple fault as an internal error: the vCPU fails. */
  private faultTriply(): void {
    this.print('guest: triple fault\n')
    this.end('vcpu-error')
  }

  private end(happening: Happening): void {
    this.cut()
    this.options.tell(happening)
  }

  private print(text: string): void {
    if (!this.gone) this.options.print(text)
  }

  private later(ms: number, act: () => void): void {
    this.next = { left: ms, act }
    clearTimeout(this.timer)
    if (this.running) this.arm()
  }

  private arm(): void {
    const next = this.next
    if (next === undefined || this.gone) return
    this.wokenAt = Date.now()
    this.timer = setTimeout(() => {
      this.next = undefined
      next.act()
    }, next.left)
  }

  private hasWord(word: string): boolean {
    return this.words.some(each => each === word || each.startsWith(`${word}=`))
  }

  private valueOf(word: string): string | undefined {
    return this.words.find(each => each.startsWith(`${word}=`))?.slice(word.length + 1)
  }

  private get words(): string[] {
    return this.options.cmdline.split(/\s+/)
  }
}
