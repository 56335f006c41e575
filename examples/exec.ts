// Commands in a box: awaited as a whole, as streams both ways, at a terminal, killed by a limit; and what the ledger has of
// them: each a stream of its own, arguments as a keyed hash.
//
//     node dist/examples/exec.js           in a home of its own, removed at the end
//     BOXLEDGER_HOME=DIR node …            in yours: the guest is then made only once
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BoxError, BoxRuntime } from 'boxledger'

const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home, onProgress: console.error })
try {
  const box = await runtime.create({ name: 'worker', memoryMib: 128 })

  // The box is started, since it is not up.
  const { exitCode, stdout, stderr } = await box.exec('sh', ['-c', 'uname -s; echo oops >&2; exit 3'])
  console.log(`ended with ${exitCode}, said ${JSON.stringify(stdout)} and ${JSON.stringify(stderr)}`)

  const upper = box.exec('tr', ['a-z', 'A-Z'])
  upper.stdin.write('both ')
  upper.stdin.end('ways\n')
  for await (const bytes of upper.stdout) process.stdout.write(bytes)
  await upper.wait()

  const tty = { columns: 100, rows: 30 }
  console.log(`terminal: ${(await box.exec('stty', ['size'], { tty })).stdout.trim()}`)

  try {
    await box.exec('sleep', ['60'], { timeoutMs: 200 })
  } catch (error) {
    if (!BoxError.is(error, 'ABORTED')) throw error
    console.log(`limited: ${error.message}`)
  }

  console.log(`executions: ${(await box.info()).executions}`)
  for await (const { execution, event } of box.events({ types: ['exec.started', 'exec.ended'] }))
    console.log(
      `  ${execution} ${event.type} ${event.type === 'exec.started' ? event.command : ''}`.trimEnd(),
    )
} finally {
  if (await runtime.exists('worker')) await runtime.remove('worker', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
