import { connect, type Socket } from 'node:net'
import { escapeCommas } from './escape-commas.ts'

/** The one vsock port whose connections are carried, and how many at a time. */
const VSOCK_PORT = 1024
const CONNECTIONS = 2

/** How long a guest may take to close a port whose other end has gone, in ms. */
const UNNOTICED_MS = 2_000

const ID = /^vsock(\d+)$/

/**
 * QEMU has no vsock here, so connections to one port of it go over ports of a virtio-serial device. What listens in
 * the guest opens such a port and waits on it; the host's coming and going is the beginning and the end of a connection.
 */
export class GuestPorts {
  readonly #socket: string
  /**
   * `free`: somebody in the guest has opened it, and nobody here is connected; `stale`: the guest was saved with a
   * connection, and has yet to notice that it is gone.
   */
  readonly #states: ('closed' | 'free' | 'taken' | 'stale')[]
  /** Stale ports that QEMU has told of. */
  readonly #announced = new Set<number>()
  readonly #connected = new Map<number, Socket>()

  /**
   * @param socket path of the vsock device's socket; QEMU's own are beside it
   * @param stale numbers of ports that were taken when the guest was saved
   */
  constructor(socket: string, stale: readonly number[] = []) {
    this.#socket = socket
    this.#states = Array.from({ length: CONNECTIONS }, (_, n) => (stale.includes(n) ? 'stale' : 'closed'))
  }

  /** Numbers of ports over which somebody talks with the guest. */
  get taken(): number[] {
    return this.#states.flatMap((state, n) => (state === 'taken' ? n : []))
  }

  formatArguments(): string[] {
    return [
      ...['-device', 'virtio-serial-pci,id=vsock'],
      ...this.#states.flatMap((_, number) => [
        ...[
          '-chardev',
          `socket,id=vsock${number},path=${escapeCommas(this.#pathOf(number))},server=on,wait=off`,
        ],
        '-device',
        `virtserialport,bus=vsock.0,nr=${number + 1},id=vsock${number},chardev=vsock${number},` +
          `name=boxledger.vsock.${VSOCK_PORT}.${number}`,
      ]),
    ]
  }

  /** QEMU tells that the guest has opened or closed a port. */
  hearChange({ id, open }: Readonly<Record<string, unknown>>): void {
    const number = Number(ID.exec(String(id))?.[1] ?? -1)
    const before = this.#states[number]
    if (before === undefined) return
    if (before === 'stale' && open === true && !this.#announced.has(number))
      return void this.#announce(number)
    this.#states[number] = open === true ? 'free' : 'closed'
    if (open !== true) this.#connected.get(number)?.destroy()
  }

  /** A connection to a port of the guest, or nothing where nobody listens. */
  async dial(port: number): Promise<Socket | undefined> {
    const number = port === VSOCK_PORT ? this.#states.indexOf('free') : -1
    if (number === -1) return undefined
    this.#states[number] = 'taken'
    const socket = connect(this.#pathOf(number))
    this.#connected.set(number, socket)
    socket.once('close', () => {
      this.#connected.delete(number)
      // A connection that came and went before the guest has noticed leaves the port as it was.
      setTimeout(() => this.#free(number), UNNOTICED_MS).unref()
    })
    return await new Promise(resolve => {
      socket.once('connect', () => resolve(socket))
      socket.once('error', () => resolve(undefined))
    })
  }

  /**
   * QEMU tells what a saved guest has open; what it does then comes as further changes, of which QEMU keeps back all but
   * the last of a second. One that does nothing had noticed already when it was saved.
   */
  #announce(number: number): void {
    this.#announced.add(number)
    setTimeout(() => {
      if (this.#states[number] === 'stale') this.#states[number] = 'free'
    }, UNNOTICED_MS).unref()
  }

  #free(number: number): void {
    if (this.#states[number] === 'taken' && !this.#connected.has(number)) this.#states[number] = 'free'
  }

  #pathOf(number: number): string {
    return `${this.#socket}.${number}`
  }
}
