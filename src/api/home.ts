import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where boxes live: what was asked for, else `$BOXLEDGER_HOME`, else the user's state directory. */
export function homeOf(wanted: string | undefined, env: NodeJS.ProcessEnv): string {
  if (wanted) return resolve(wanted)
  if (env.BOXLEDGER_HOME) return resolve(env.BOXLEDGER_HOME)
  const state = env.XDG_STATE_HOME
  return state ? join(resolve(state), 'boxledger') : join(homedir(), '.local', 'state', 'boxledger')
}

/** Where the owner of a home listens. */
export function socketOf(home: string): string {
  return join(home, 'owner.sock')
}
