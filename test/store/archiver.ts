import { open } from './boxes.ts'

/** A program that archives a home, and kills itself at the n-th boundary of that; it tells each, and `done` at the end. */

const [home = '', at = '0'] = process.argv.slice(2)
let archiving = false
let seen = 0
const ledger = await open(home, {
  boundary: name => {
    if (!archiving) return
    process.stdout.write(`${name}\n`)
    seen += 1
    if (seen === Number(at)) process.kill(process.pid, 'SIGKILL')
  },
})
archiving = true
await ledger.archive(Date.now() + 1)
archiving = false
await ledger.close()
process.stdout.write('done\n')
