import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { connectGuest, type GuestChannel } from '../../../src/vmm/guest/channel.ts'
import { ensureBuiltinImage } from '../../../src/vmm/images/builtin.ts'
import { builtinCmdline } from '../../../src/vmm/images/cmdline.ts'
import { eventually } from '../../support/eventually.ts'
import type { Callback } from '../../support/suite.ts'
import { call } from '../emulator/raw-client.ts'
import { inRunDirectory, VmmProcess } from '../emulator/vmm-process.ts'
import { testImages } from '../images/qemu-guest.ts'
import { outcome, program, shell } from './with-agent.ts'

const forever = new AbortController().signal

/** Boots the built-in guest on a VMM; `connect` waits until its agent is there. */
async function withGuest(
  command: readonly string[],
  body: (connect: () => Promise<GuestChannel>) => Promise<void>,
): Promise<void> {
  const { kernel, initramfs } = await ensureBuiltinImage({ dir: testImages() })
  await inRunDirectory(async dir => {
    const socket = join(dir, 'v.sock')
    const words = [...command, '--api-socket', join(dir, 'api.sock')]
    const vmm = new VmmProcess(dir, words)
    const channels: GuestChannel[] = []
    try {
      await vmm.ready()
      const config = {
        payload: { kernel, initramfs, cmdline: builtinCmdline({ name: 'box' }) },
        memory: { size: 256 << 20 },
        serial: { mode: 'File', file: join(dir, 'serial.log') },
        console: { mode: 'Off' },
        vsock: { cid: 3, socket },
      }
      assert.is((await call(vmm.socket, 'PUT', '/api/v1/vm.create', JSON.stringify(config))).status, 204)
      assert.is((await call(vmm.socket, 'PUT', '/api/v1/vm.boot')).status, 204)
      await body(async () => {
        let channel: GuestChannel | undefined
        await eventually(
          async () => {
            channel = await connectGuest(socket, forever).catch(() => undefined)
            return channel !== undefined
          },
          { what: 'the agent', timeoutMs: 60_000 },
        )
        channels.push(channel as GuestChannel)
        return channel as GuestChannel
      })
    } finally {
      for (const channel of channels) channel.close()
      vmm.child.kill('SIGTERM')
      await vmm.waitForEnd()
    }
  })
}

const root = { user: 'root' }

export const whatChannelsDo =
  'programs, users, fifty at once, big streams, terminals, and death with the channel'

/** What a channel to the built-in guest does, on whichever VMM. */
export const channelOn =
  (command: readonly string[]): Callback<Record<string, unknown>> =>
  () =>
    withGuest(command, async connect => {
      const channel = await connect()
      const run = (text: string, user = 'root') => outcome(channel.run(shell(text, { user })))
      assert.equal(await run('uname -s; hostname; echo err >&2; exit 7'), {
        stdout: 'Linux\nbox\n',
        stderr: 'err\n',
        exitCode: 7,
      })
      assert.is((await run('id -u; id -g; echo $HOME', 'nobody')).stdout, '65534\n65534\n/\n')
      assert.is((await run('id -u; id -g', '1234:5')).stdout, '1234\n5\n')

      const many = Array.from({ length: 50 }, (_, n) => {
        const one = channel.run(shell(`cat; exit ${n}`, root))
        one.stdin.end(`${n}`)
        return outcome(one)
      })
      for (const [n, found] of (await Promise.all(many)).entries())
        assert.equal(found, { stdout: `${n}`, stderr: '', exitCode: n })

      const size = 8 << 20
      const digest = channel.run(program(['sha256sum'], root))
      digest.stdin.end(Buffer.alloc(size))
      const zeros = await run(`head -c ${size} /dev/zero | sha256sum`)
      assert.is((await outcome(digest)).stdout, zeros.stdout)
      let read = 0
      for await (const bytes of channel.run(program(['head', '-c', String(size), '/dev/zero'], root)).stdout)
        read += bytes.length
      assert.is(read, size)

      const terminal = { columns: 90, rows: 20 }
      const typed = channel.run(shell('stty size; read x; echo "<$x>"', { ...root, terminal }))
      typed.stdin.write('hi\n')
      assert.match((await outcome(typed)).stdout as string, /20 90\r\n(.|\n)*<hi>\r\n/)

      // What has left its session and its group is killed with it all the same.
      const tree = channel.run(shell('setsid sleep 1000 & setsid sleep 1000 & wait', root))
      await tree.started
      await eventually(async () => ((await run('pidof sleep')).stdout as string).split(' ').length === 2, {
        what: 'two processes',
      })
      tree.destroy()
      await tree.ended
      await eventually(async () => (await run('pidof sleep')).stdout === '', { what: 'their end' })

      channel.run(shell('sleep 1000', root))
      const loud = channel.run(program(['yes'], root))
      const spare = await connect()
      const seen = async () => (await outcome(spare.run(shell('pidof sleep yes', root)))).stdout as string
      await eventually(async () => (await seen()).split(' ').length === 2, { what: 'both programs' })
      channel.close()
      await loud.ended.catch(() => {})
      await eventually(async () => (await seen()) === '', { what: 'the end of what it had started' })
      const again = await connect()
      assert.is((await outcome(again.run(program(['echo', 'back'], root)))).stdout, 'back\n')
    })
