import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResolvedImage } from '../src/vmm/images/resolve.ts'

/** The peer: QEMU alone, by hand, with the same kernel, devices and channel. Gives the `ms` until the agent answers. */
export async function bootPlainQemu(directory: string, image: ResolvedImage): Promise<number> {
  const port = join(directory, 'port')
  const began = performance.now()
  const qemu = spawnPlain(port, image)
  try {
    await greeted(port)
    return performance.now() - began
  } finally {
    qemu.kill('SIGKILL')
    await once(qemu, 'exit')
  }
}

/** Boots a guest, lets it come to rest, and has QEMU save it, for {@link resumePlainQemu}. */
export async function savePlainQemu(directory: string, image: ResolvedImage): Promise<string> {
  const port = join(directory, 'port')
  const file = join(directory, 'plain.saved')
  const qemu = spawnPlain(port, image, ['-qmp', 'stdio'])
  try {
    await greeted(port)
    await delay(1_500)
    const lines = createInterface(qemu.stdout as Readable)
    const send = (execute: string, args = {}) =>
      qemu.stdin?.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    send('qmp_capabilities')
    send('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] })
    send('migrate', { uri: `exec:cat >${file}` })
    for await (const line of lines) {
      const { event, data } = JSON.parse(line)
      if (event === 'MIGRATION' && data.status === 'completed') return file
      if (event === 'MIGRATION' && data.status === 'failed') break
    }
    throw new Error('QEMU did not save its guest')
  } finally {
    qemu.kill('SIGKILL')
    await once(qemu, 'exit')
  }
}

/** The same of a start from a saved guest. */
export async function resumePlainQemu(
  directory: string,
  image: ResolvedImage,
  file: string,
): Promise<number> {
  const port = join(directory, 'port')
  const began = performance.now()
  const qemu = spawnPlain(port, image, ['-incoming', `exec:cat ${file}`])
  try {
    await greeted(port)
    return performance.now() - began
  } finally {
    qemu.kill('SIGKILL')
    await once(qemu, 'exit')
  }
}

function spawnPlain(port: string, image: ResolvedImage, more: readonly string[] = []): ChildProcess {
  rmSync(port, { force: true })
  return spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-machine', 'q35,accel=tcg', '-cpu', 'qemu64,+arat,+rdrand', '-smp', '1', '-m', '256'],
      ...['-kernel', image.kernel, '-initrd', image.initramfs ?? '', '-append', image.cmdline],
      ...['-serial', 'null', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
      ...['-chardev', `socket,id=port,path=${port},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=port,name=boxledger.vsock.1024.0'],
      ...more,
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  )
}

/** Resolves when the agent in the guest has said its first word. */
async function greeted(port: string): Promise<void> {
  const socket = await connected(port)
  await once(socket, 'data')
  socket.destroy()
}

async function connected(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect(path)
    const isOpen = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (isOpen) return socket
    await delay(5)
  }
}
