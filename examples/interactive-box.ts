// A shell in a box, at this terminal: `exit` leaves it, and the box with it. Input from a file or a pipe is read too.
//
//     node dist/examples/interactive-box.js          in a home of its own, removed at the end
//     BOXLEDGER_HOME=DIR node …                      in yours: the guest is then made only once
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InteractiveBox } from 'boxledger'

const own = process.env.BOXLEDGER_HOME === undefined ? mkdtempSync(join(tmpdir(), 'boxes-')) : undefined
process.env.BOXLEDGER_HOME ??= own
{
  await using box = new InteractiveBox({ memoryMib: 128, env: { PS1: 'box> ' } })
  await box.start()
  const { exitCode, state } = await box.wait()
  console.log(`the shell ended with ${exitCode}; the box is still ${state}`)
}
if (own !== undefined) rmSync(own, { recursive: true })
