import { type Box, BoxError, type BoxOptions } from '../../index.ts'
import { attach } from '../attach.ts'
import { addBoxFlags, type BoxFlags, boxOptionsOf } from '../box-flags.ts'
import type { Cli } from '../cli.ts'
import { addDetachKeys, type DetachFlags, detachLeave } from '../detach-flags.ts'
import type { Session } from '../session.ts'

interface RunFlags extends BoxFlags, DetachFlags {
  readonly detach?: boolean
  readonly interactive?: boolean
  readonly tty?: boolean
}

export function addRun({ program, onHome }: Cli): void {
  addDetachKeys(addBoxFlags(program.command('run')))
    .description("create and start a box and run CMD in it; the exit code is CMD's, and the box ends with it")
    .usage('[options] [-- CMD…]')
    .option('-d, --detach', "print the box's ID and leave it running; CMD is its main command")
    .option('-i, --interactive', 'CMD reads what boxledger reads')
    .option('-t, --tty', 'CMD has a terminal')
    .addHelpText('after', '\nWithout a CMD it is sh; with -d, none.')
    .action((words: string[], flags: RunFlags) => {
      const { detach = false } = flags
      const options = boxOptionsOf(flags, detach ? words : [])
      if (detach) return onHome(session => leaveRunning(session, options))
      const [command = 'sh', ...args] = words
      return onHome(session => runInside(session, { ...options, detach: false }, flags, [command, ...args]))
    })
}

async function endBox(box: Box, remove: boolean): Promise<void> {
  try {
    await box.stop()
    if (remove) await box.remove()
  } catch (error) {
    // It has removed itself already.
    if (!BoxError.is(error, 'NOT_FOUND')) throw error
  }
}

async function leaveRunning(
  { runtime, output, json, signal }: Session,
  options: BoxOptions,
): Promise<undefined> {
  const box = await runtime.create(options, { signal })
  try {
    await box.start({ signal })
  } catch (error) {
    if (!json) output.note(`boxledger: box ${box.name ?? box.id} was created, but not started:`)
    throw error
  }
  await (json ? output.value(await box.info()) : output.line(box.id))
}

/** Whatever comes of it, the box does not stay up, unless the command was left. */
async function runInside(
  session: Session,
  options: BoxOptions,
  flags: RunFlags,
  [command, ...args]: [string, ...string[]],
): Promise<number> {
  const { runtime, signal } = session
  const { interactive = false, tty = false } = flags
  let isLeft = false
  const how = {
    interactive,
    tty,
    ...detachLeave(flags, () => {
      isLeft = true
    }),
  }
  const box = await runtime.create(options, { signal })
  try {
    return await attach(session, how, given => box.exec(command, args, given))
  } finally {
    if (!isLeft) await endBox(box, options.autoRemove === true)
    else if (!session.json) session.output.note(`boxledger: Box ${box.name ?? box.id} stays up with it.`)
  }
}
