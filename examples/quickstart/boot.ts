import type { Box } from 'boxledger'

/** A boot as the ledger and the serial port have it. */
export interface Boot {
  /** from the VMM's begin to the guest's own word that it is ready, in `ms` */
  readonly ms: number
  readonly console: readonly string[]
}

export async function readBoot(box: Box): Promise<Boot> {
  const { incarnation } = await box.info()
  const times = new Map<string, number>()
  for await (const { event, at } of box.events({ types: ['vmm.spawned', 'guest.ready'] }))
    if (event.incarnation === incarnation) times.set(event.type, Date.parse(at))
  const [begin, end] = [times.get('vmm.spawned'), times.get('guest.ready')]
  if (begin === undefined || end === undefined) throw new Error('The ledger has no boot of this guest')

  return { ms: end - begin, console: await consoleUntil(box, /^Linux /) }
}

/** The lines of the serial port up to one like this, which the box's command prints in a moment. */
async function consoleUntil(box: Box, last: RegExp): Promise<string[]> {
  let text = ''
  for await (const chunk of box.console({ follow: true, signal: AbortSignal.timeout(10_000) })) {
    text += Buffer.from(chunk).toString('utf8')
    // What comes after the last line's end may be half a line.
    const lines = text.split(/\r?\n/).slice(0, -1)
    if (lines.some(line => last.test(line))) return lines.filter(line => line !== '')
  }
  throw new Error(`The guest printed no line like ${last}, but ${JSON.stringify(text)}`)
}
