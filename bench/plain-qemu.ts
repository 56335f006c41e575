import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ResolvedImage } from '../src/vmm/images/resolve.ts'

/** The peer: QEMU alone, by hand, with the same kernel, devices and channel. Gives the `ms` until the agent answers. */
export async function bootPlainQemu(directory: string, image: ResolvedImage): Promise<number> {
  const port = join(directory, 'port')
  const began = performance.now()
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-machine', 'q35,accel=tcg', '-cpu', 'qemu64,+arat,+rdrand', '-smp', '1', '-m', '256'],
      ...['-kernel', image.kernel, '-initrd', image.initramfs ?? '', '-append', image.cmdline],
      ...['-serial', 'null', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
      ...['-chardev', `socket,id=port,path=${port},server=on,wait=off`],
      ...['-device', 'virtserialport,chardev=port,name=boxledger.vsock.1024.0'],
    ],
    { stdio: 'ignore' },
  )
  try {
    const socket = await connected(port)
    await once(socket, 'data')
    socket.destroy()
    return performance.now() - began
  } finally {
    qemu.kill('SIGKILL')
    await once(qemu, 'exit')
  }
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
