import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureAudit } from './audit.ts'
import { measureGuests } from './guests.ts'
import { measureOpening } from './opening.ts'
import { measureSsh } from './ssh.ts'
import { measureTransitions } from './transitions.ts'

async function hasProgram(name: string, flag: string): Promise<boolean> {
  return new Promise(resolve => {
    const asked = spawn(name, [flag], { stdio: 'ignore' })
    asked.once('error', () => resolve(false))
    asked.once('exit', code => resolve(code === 0))
  })
}

/** Figures of one run on this machine; only their ratios mean something elsewhere. */
const directory = await mkdtemp(join(tmpdir(), 'bl-bench-'))
const whole = (n: number) => Math.round(n).toLocaleString('en')
const show = (...cells: readonly (string | number)[]) =>
  console.log(
    cells.map((cell, n) => (n === 0 ? String(cell).padEnd(34) : String(cell).padStart(14))).join(''),
  )

try {
  show('durable transitions', 'boxledger/s', 'raw LevelDB/s', 'ratio', 'p50 ms', 'raw batch p50', 'ratio')
  for (const [boxes, transitions] of [
    [1, 4_000],
    [16, 20_000],
    [1_000, 100_000],
  ] as const) {
    const { perSecond, rawPerSecond, p50, rawP50 } = await measureTransitions(
      join(directory, String(boxes)),
      boxes,
      transitions,
    )
    show(
      `  ${whole(boxes)} box${boxes === 1 ? '' : 'es'}`,
      whole(perSecond),
      whole(rawPerSecond),
      (perSecond / rawPerSecond).toFixed(2),
      p50.toFixed(2),
      rawP50.toFixed(2),
      (p50 / rawP50).toFixed(2),
    )
  }
  const { boxes, live, openMs, lookupUs } = await measureOpening(join(directory, 'home'), 10_000, 10)
  console.log()
  show(
    `opening ${whole(boxes)} boxes, ${live} live`,
    `${whole(openMs)} ms`,
    `aim 300 ms`,
    (openMs / 300).toFixed(2),
  )
  show(
    `get by name among ${whole(boxes)}`,
    `${lookupUs.toFixed(2)} µs`,
    `aim 2 µs`,
    (lookupUs / 2).toFixed(2),
  )
  console.log()
  const audit = await measureAudit(join(directory, 'audit'), 1_000_000)
  show(`reading ${whole(audit.records)} records`, 'boxledger/s', 'raw LevelDB/s', 'ratio')
  for (const [what, perSecond] of [
    ['  export', audit.exportPerSecond],
    ['  verify', audit.verifyPerSecond],
  ] as const)
    show(what, whole(perSecond), whole(audit.rawPerSecond), (perSecond / audit.rawPerSecond).toFixed(2))
  const { p50, most } = audit.stateAt
  show(
    '  stateAt, any version of any box',
    `${p50.toFixed(1)} ms p50`,
    `${most.toFixed(1)} ms most`,
    '',
    'aim 50 ms',
  )
  console.log(`  (built in ${whole(audit.buildSeconds)} s)`)
  console.log()
  if (!(await hasProgram('qemu-system-x86_64', '--version')))
    console.log('guests: skipped, qemu-system-x86_64 is not on PATH')
  else {
    const guests = await measureGuests(directory)
    show('guests, in software emulation', 'boxledger', 'peer', 'ratio', '', 'the peer')
    const ms = (n: number) => `${n < 10 ? n.toFixed(1) : whole(n)} ms`
    const row = (what: string, own: number, peer: number, who: string, unit = ms) =>
      show(`  ${what}`, unit(own), unit(peer), (own / peer).toFixed(2), '', who)
    row('start to a guest that answers', guests.start, guests.plainStart, 'QEMU by hand')
    show('    of it the engine, the VMM', ms(guests.engine), ms(guests.vmm))
    row('start from a snapshot', guests.restore, guests.start, 'a boot')
    row('start from a template', guests.warm, guests.plainResume, 'QEMU by hand')
    row('exec true', guests.exec, guests.plainExec, 'bare channel')
    const rate = (n: number) => `${n.toFixed(1)} MiB/s`
    row('copy in', guests.copy, guests.plainCopy, 'bare channel', rate)
    console.log()
    if (!(await hasProgram('ssh', '-V'))) console.log('ssh: skipped, ssh is not on PATH')
    else {
      show('the same guest over SSH', 'boxledger', 'peer', 'ratio', '', 'the peer')
      for (const { server, exec, copyIn, copyOut, client } of await measureSsh(directory)) {
        row('exec true', exec.own, exec.ssh, `ssh, ${server}`)
        show('    of it before the guest is asked', '', ms(client))
        row('copy in', copyIn.own, copyIn.ssh, `scp, ${server}`, rate)
        row('copy out', copyOut.own, copyOut.ssh, `scp, ${server}`, rate)
      }
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
