// npm run quickstart: a real guest is booted, orphaned, adopted, killed, started again and powered off; then the ledger
// of it all is shown and verified. Exits with 0 only if each step was seen in /proc. Leaves no process and no file.
import { constants } from 'node:os'
import { ensureVmm } from './needs.ts'
import { clear, makePlace } from './place.ts'
import { makeReport } from './report.ts'
import { tellStory } from './story.ts'

const report = makeReport(process.stdout)
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => {
    process.exitCode = 128 + constants.signals[name]
    stop.abort(new Error(`ended by ${name}`))
  })

report.title('boxledger quickstart: the life of a box, each step judged from /proc')
const place = makePlace()
try {
  await ensureVmm({ report, home: place.home, signal: stop.signal })
  await tellStory({ report, home: place.home, signal: stop.signal })
} catch (error) {
  report.failed(stop.signal.aborted ? stop.signal.reason : error)
  process.exitCode ||= 1
} finally {
  const left = await clear(place)
  // After a failure it is no wonder.
  if (left.length > 0 && !process.exitCode) {
    report.failed(new Error(`left behind, and removed now: ${left.join(', ')}`))
    process.exitCode = 1
  }
}
if (!process.exitCode) report.end('All of it was seen. No process and no file is left.')
