import type { BoxCommand } from '../machines/index.ts'
import { ownDisksMib } from '../vmm/index.ts'

/** A command as it is recorded: how long a VM may be held to be saved goes by the disks that are saved with it. */
export function withDisks(
  home: string,
  box: string,
  command: BoxCommand | undefined,
): BoxCommand | undefined {
  if (command?.type !== 'snapshot.requested') return command
  const disksMib = ownDisksMib(home, box)
  return disksMib === 0 ? command : { ...command, disksMib }
}
