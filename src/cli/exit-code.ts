import type { BoxInfo } from '../index.ts'

/** 128 + SIGKILL: as for a container that was killed. */
const killed = 137

/** The exit code of a box that is down: its main command's, else 0 if it ended well. */
export function exitCodeOfBox({ state, ending, spec }: BoxInfo): number {
  if (ending?.exitCode !== undefined) return ending.exitCode
  if (ending === undefined) return state === 'configured' || state === 'removed' ? 0 : 1
  const well = ['requested', 'guest-poweroff', 'host-reboot', 'external'].includes(ending.cause)
  if (!well) return 1
  // The box ended and the command could not say how it did: its power was cut.
  return spec.command === undefined ? 0 : killed
}
