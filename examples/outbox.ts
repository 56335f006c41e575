// An outbox: every record of the ledger comes into a Redis stream exactly once, though its publisher is killed between
// delivering and acknowledging. The home gives again what was not acknowledged; Redis refuses a position that it has.
// It starts a Redis of its own, which has to be installed (Debian: apt-get install redis-server).
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { BoxRuntime } from 'boxledger'

const [home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-')), place, killedAt] =
  process.argv.slice(2)

/** A process of its own: it delivers, then acknowledges, and dies in between where it is told to. */
async function publish(dir: string): Promise<void> {
  const redis = await createClient({ url: `unix://${dir}/socket` }).connect()
  await using runtime = await BoxRuntime.connect({ home })
  await using outbox = runtime.subscription('outbox', { follow: false })
  for await (const { position, box, event } of outbox) {
    // The entry's ID is the position, and Redis takes IDs in ascending order only.
    await redis.xAdd('boxes', `${position}-0`, { box, type: event.type }).catch(error => {
      if (!String(error).includes('equal or smaller')) throw error
      console.log(`  position ${position} was delivered before, and is refused`)
    })
    if (position === Number(killedAt)) process.kill(process.pid, 'SIGKILL')
    await outbox.ack(position)
  }
  redis.destroy()
}

async function show(): Promise<void> {
  const runtime = await BoxRuntime.open({ home, onProgress: console.error })
  const dir = mkdtempSync(join(tmpdir(), 'redis-'))
  const synced = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const options = [...synced, '--port', '0', '--unixsocket', 'socket', '--loglevel', 'warning']
  const server = spawn('redis-server', options, { cwd: dir, stdio: 'ignore' })
  const redis = createClient({ url: `unix://${dir}/socket` }).on('error', () => {}) // until it listens
  try {
    await Promise.race([redis.connect(), once(server, 'exit')])
    for (let n = 0; n < 5; n += 1) await (await runtime.create()).remove()
    for (const at of ['3', '8', 'the end']) {
      const [, signal] = await once(fork(process.argv[1] ?? '', [home, dir, at]), 'exit')
      console.log(`the publisher ended at ${at}${signal === null ? '' : `, by ${signal}`}`)
    }
    const ids = ((await redis.xRange('boxes', '-', '+')) ?? []).map(entry => entry?.id)
    let position = 0
    for await (const record of runtime.events()) ({ position } = record)
    console.log(`${position} records, ${ids.length} in Redis, ${new Set(ids).size} of them different`)
  } finally {
    redis.destroy()
    if (server.kill()) await once(server, 'exit')
    await runtime.close()
    for (const path of [dir, ...(home === process.env.BOXLEDGER_HOME ? [] : [home])])
      rmSync(path, { recursive: true })
  }
}

await (place === undefined ? show() : publish(place))
