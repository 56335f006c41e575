// A guest that reboots, and reboots, and reboots: each reboot is in place, in the same VMM, and counted; the fifth within
// a minute is a loop, and the VM is cut off. The guest is the test guest of this repository, told to do just that.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BoxRuntime } from 'boxledger'

const kernel = fileURLToPath(new URL('../../test/fixtures/test-guest/guest.elf', import.meta.url))
const home = process.env.BOXLEDGER_HOME ?? mkdtempSync(join(tmpdir(), 'boxes-'))
const runtime = await BoxRuntime.open({ home })
try {
  const box = await runtime.create({
    name: 'restless',
    memoryMib: 64,
    image: { kernel, cmdline: 'mode=reset' },
  })
  await box.start()
  const first = await box.waitFor(info => info.reboots > 0)
  console.log(`rebooted in place: incarnation ${first.incarnation}, restarts ${first.restarts}`)

  const end = await box.wait()
  console.log(`after ${end.reboots} reboots: ${end.state}, ending ${end.ending?.cause}`)
  console.log(`incarnations: ${end.incarnation}`)
} finally {
  if (await runtime.exists('restless')) await runtime.remove('restless', { force: true })
  await runtime.close()
  if (home !== process.env.BOXLEDGER_HOME) rmSync(home, { recursive: true })
}
