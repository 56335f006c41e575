// A box for a moment: made when it is first used, and gone when the block ends. It has a home of its own to itself, or
// shares it with whoever has it open.
//
//     node dist/examples/simple-box.js          in a home of its own, removed at the end
//     BOXLEDGER_HOME=DIR node …                 in yours: the guest is then made only once
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SimpleBox } from 'boxledger'

const own = process.env.BOXLEDGER_HOME === undefined ? mkdtempSync(join(tmpdir(), 'boxes-')) : undefined
process.env.BOXLEDGER_HOME ??= own
{
  await using box = new SimpleBox({ memoryMib: 128 })
  const { exitCode, stdout } = await box.exec('sh', ['-c', 'echo "from $(uname -s)"; exit 3'])
  console.log(`${stdout.trim()}, exit code ${exitCode}`)

  const copied = box.exec('cat', [], { input: 'what it reads' })
  console.log(`what it wrote: ${(await copied).stdout}`)

  const { state, executions } = await box.info()
  console.log(`${state}, with ${executions} commands run`)
}
if (own !== undefined) rmSync(own, { recursive: true })
