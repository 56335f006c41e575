import type { Command } from 'commander'
import type { AttachOptions } from './attach.ts'
import { keySequence, usualDetachKeys } from './detach-keys.ts'

export interface DetachFlags {
  readonly interactive?: boolean
  readonly tty?: boolean
  readonly detachKeys?: Buffer
}

export function addDetachKeys(command: Command): Command {
  return command.option(
    '--detach-keys <keys>',
    "at a terminal, keys that leave the command running, '' for none (default: ctrl-p,ctrl-q)",
    keySequence,
  )
}

/** Keys leave a command where somebody types them: what else is passed on may hold the same bytes. */
export function detachLeave(
  { interactive = false, tty = false, detachKeys: keys = usualDetachKeys }: DetachFlags,
  onDetached: () => void = () => {},
): Pick<AttachOptions, 'leave'> {
  if (!interactive || !tty || process.stdin.isTTY !== true) return {}
  return { leave: { keys, how: 'detach', onDetached } }
}
